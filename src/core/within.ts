/**
 * Waits for a promise, but no longer than `ms`. A rejection that comes in time is passed on.
 *
 * @example await within(child.exited, 500)
 */
export async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: Timer | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
