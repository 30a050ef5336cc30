/** What a run of `bun test` came to. */
export type Counts = { passed: number; failed: string[]; skipped: string[] }

/**
 * Reads the figures of a JUnit report of `bun test`; failed and skipped tests by name.
 *
 * @example readReport(await Bun.file("report.xml").text()).skipped // ["arrow > pyarrow reads it"]
 */
export function readReport(xml: string): Counts {
  const counts: Counts = { passed: 0, failed: [], skipped: [] }
  for (const match of xml.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const body = match[3] ?? ""
    if (body.includes("<skipped")) counts.skipped.push(nameOf(match[1]!))
    else if (/<(failure|error)\b/.test(body)) counts.failed.push(nameOf(match[1]!))
    else counts.passed++
  }
  return counts
}

function nameOf(attributes: string): string {
  const read = (key: string) => unescapeXml(new RegExp(`\\b${key}="([^"]*)"`).exec(attributes)?.[1])
  const group = read("classname")
  return `${read("file")}: ${group ? `${group} > ` : ""}${read("name")}`
}

function unescapeXml(text = ""): string {
  const names: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_all, name: string) => names[name]!)
}
