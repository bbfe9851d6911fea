/** Title and first paragraph of a README. */
export function describeExample(readme: string, name: string): { title: string; summary: string } {
  const title = /^#\s+(.+)$/m.exec(readme)?.[1] ?? name;
  const text = readme.replace(/^#.*$/gm, '').trim();
  const summary = (text.split(/\n\s*\n/)[0] ?? '').replace(/\s+/g, ' ').replace(/`/g, '');
  return { title, summary };
}

/** The part of a launch.json that speaks of one example; undefined when nothing does. */
export function configurationsOf(launch: string, example: string): string | undefined {
  let parsed: { version?: string; configurations?: { program?: string }[] };
  try {
    parsed = JSON.parse(launch.replace(/^\s*\/\/.*$/gm, ''));
  } catch {
    return undefined;
  }
  const configurations = (parsed.configurations ?? []).filter(({ program }) =>
    program?.includes(`/${example}/`),
  );
  if (configurations.length === 0) return undefined;
  return `${JSON.stringify({ version: parsed.version ?? '0.2.0', configurations }, undefined, 2)}\n`;
}
