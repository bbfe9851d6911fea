/** First VS Code whose secondary side bar takes an extension's views. */
const SECONDARY_SIDE_BAR = { major: 1, minor: 106 };

/** Has the host a place for our container? `version` as `vscode.version`: `1.139.1`, `1.107.0-insider`. */
export function hasSecondarySideBar(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const wanted = SECONDARY_SIDE_BAR;
  return major > wanted.major || (major === wanted.major && minor >= wanted.minor);
}
