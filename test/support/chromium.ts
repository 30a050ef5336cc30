// A headless browser, for what only a browser can say: that a page is drawn, and asks nobody for anything.
const NAMES = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"]

/** The browser, or null when there is none. */
export const chromium = NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ?? null

const LIMIT_MS = 60_000
// Root has no sandbox; the page is a file of ours.
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]

/**
 * Opens a page and gives the document as it stands after its scripts have run.
 *
 * @example await dump("file:///tmp/result.html")
 */
export async function dump(url: string): Promise<string> {
  const child = Bun.spawn([chromium!, ...FLAGS, "--window-size=1000,3000", "--dump-dom", url], {
    stdout: "pipe",
    stderr: "ignore",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`${chromium} ended with ${child.exitCode}`)
  return text
}
