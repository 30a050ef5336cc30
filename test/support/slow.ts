/**
 * The value of a promise; as long as it does not come, it is said again and again that it goes on.
 *
 * @param promise  what is waited for
 * @param what     what takes so long
 * @param everyMs  so often
 * @param say      where to; stderr by default
 * @example await saidWhileSlow(build, "the build of x", 10_000) // "the build of x goes on since 10 s"
 */
export async function saidWhileSlow<T>(
  promise: Promise<T>,
  what: string,
  everyMs: number,
  say: (text: string) => void = (text) => console.error(text),
): Promise<T> {
  const begin = performance.now()
  const seconds = () => Math.round((performance.now() - begin) / 1000)
  const timer = setInterval(() => say(`${what} goes on since ${seconds()} s`), everyMs)
  try {
    return await promise
  } finally {
    clearInterval(timer)
  }
}
