/** The value of a promise, or an error that says what did not come in `limitMs`. @example await inTime(done, 5000, () => "the end") */
export async function inTime<T>(
  promise: Promise<T>,
  limitMs: number,
  what: () => string,
): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what()}`)), limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
