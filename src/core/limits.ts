// Every limit of the system by name. Sizes in bytes, times in milliseconds, unless the name says otherwise.

/** Largest message body that an output may send. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024
/** Room in a pool chunk beside the body: Arrow headers, parameters, alignment. */
export const CHUNK_SLACK_BYTES = 1024 * 1024
/** Address space of one pool chunk; pages appear on first touch. */
export const CHUNK_STRIDE_BYTES = MAX_PAYLOAD_BYTES + CHUNK_SLACK_BYTES
/** Most chunks a pool may have: address space, and the length of a borrow line. */
export const MAX_POOL_CHUNKS = 4096
/** Messages up to this size (Arrow stream and parameters) are copied through the slot: in rings of few slots … */
export const INLINE_BYTES = 5 * 1024
/** … and in rings of more than {@link FEW_SLOTS}, which would take too much memory otherwise. */
export const SMALL_INLINE_BYTES = 1024
/** See {@link INLINE_BYTES}. */
export const FEW_SLOTS = 64
/** Slots of the largest ring. */
export const MAX_RING_SLOTS = 1 << 16
/** Queue size of an input that names none. */
export const DEFAULT_QUEUE_SIZE = 10
/** Large messages that a consumer may retain beyond its queue size. */
export const BORROW_EXTRA = 8
/** Loans of one output that may be out at the same time. */
export const MAX_LOANS = 8
/** Sends of one output that may wait for room, because nobody awaits them. */
export const MAX_PENDING_SENDS = 1024
/** Encoded parameters of one message. */
export const MAX_PARAMETER_BYTES = 64 * 1024

/** Deepest nesting of an Arrow type, and of the JavaScript values that become one. */
export const MAX_ARROW_DEPTH = 64
/** Most fields, at all levels together, of one Arrow type. */
export const MAX_ARROW_FIELDS = 4096
/** Most elements of the lists inside of lists or rows that JavaScript values of one message may have. */
export const MAX_ARROW_ITEMS = 1 << 24

/** Body of one frame of the official protocol (dora-message 1.1.0, `libraries/message/src/lib.rs`). */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024
/** Largest dataflow file. */
export const MAX_DESCRIPTOR_BYTES = 8 * 1024 * 1024
/** Largest file of a module, as in the official tool. */
export const MAX_MODULE_BYTES = 1024 * 1024
/** How deep modules may contain modules, as in the official tool. */
export const MAX_MODULE_DEPTH = 8
/** Most values that the modules of one dataflow may expand to; a node has about twenty. */
export const MAX_MODULE_VALUES = 200_000
/** Most values that the YAML aliases of one file may expand to. */
export const MAX_YAML_ALIASES = 100_000
/** Most words, marks and line breaks of one file: what reading it costs grows with them, not with its bytes. */
export const MAX_YAML_TOKENS = 1_000_000
/** How deep lists and mappings of a file may nest, aliases included. */
export const MAX_YAML_DEPTH = 128
/** Largest program that is downloaded, and how long that may take. */
export const MAX_DOWNLOAD_BYTES = 1024 * 1024 * 1024
export const MAX_DOWNLOAD_MS = 30 * 60_000
/** Longest period of a timer in nanoseconds, 104 days: beyond it a number is no longer exact. */
export const MAX_TIMER_NS = Number.MAX_SAFE_INTEGER
/** One line of a node's output; the rest of the line is cut and marked. */
export const MAX_LOG_LINE_BYTES = 1024 * 1024

/** How long a node may take to subscribe before the start counts as failed. */
export const STARTUP_TIMEOUT_MS = 30_000
/** Between the Stop event and SIGTERM. */
export const STOP_GRACE_MS = 10_000
/** Between SIGTERM and SIGKILL, as a share of the grace. */
export const TERM_SHARE = 0.5
/** A frame that has begun must be complete after this long (dora-daemon 1.1.0). */
export const FRAME_TIMEOUT_MS = 30_000
/** Events that wait for a node to ask for them. */
export const MAX_QUEUED_EVENTS = 1000
/** Sockets that the nodes of one dataflow may hold, for each node; an official node needs three. */
export const MAX_SOCKETS_PER_NODE = 16
/** Where nodes that are started by hand ask for their configuration (dora-core 1.1.0, `topics.rs`). */
export const DYNAMIC_NODE_PORT = 53291
/** How long the output of a dead node is read on when a child of it holds the pipe. */
export const DRAIN_MS = 100
/** After SIGKILL: how long until a process counts as stuck in the kernel and is given up. */
export const KILL_WAIT_MS = 5_000
/** Linear memory of one WebAssembly operator. */
export const MAX_WASM_MEMORY_BYTES = 1024 * 1024 * 1024
/** How often the daemon looks at what operators are doing, … */
export const WATCHDOG_MS = 500
/** … after what time in one call it says so, … */
export const WATCHDOG_WARN_MS = 2_000
/** … and how long a call of a WebAssembly operator may last. */
export const WASM_CALL_MS = 5_000
/** Grace of the nodes that had started well when the start of the dataflow fails. */
export const FAILED_START_GRACE_MS = 1_000
/** Last lines of a node's stderr that are kept for the failure report, and how much of each. */
export const STDERR_TAIL_LINES = 50
export const STDERR_TAIL_CHARS = 2_000
/** Linux refuses a longer environment string (MAX_ARG_STRLEN), its closing zero included. */
export const MAX_ENV_BYTES = 128 * 1024
/** How often a guard that somebody killed is started again. */
export const MAX_GUARD_RESTARTS = 10
