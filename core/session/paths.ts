/**
 * Do two paths name the same file? A drive letter's case and the kind of slash do not matter;
 * everything else does.
 */
export function samePath(a: string, b: string): boolean {
  return foldPath(a) === foldPath(b);
}

/** The form in which paths are compared: forward slashes, drive letter in lower case, no `.` parts. */
export function foldPath(path: string): string {
  const slashes = isWindowsPath(path) ? path.replaceAll('\\', '/') : path;
  return slashes
    .replace(/^[A-Z]:/, (drive) => drive.toLowerCase())
    .replaceAll('/./', '/')
    .replace(/^\.\//, '');
}

/** `path` seen from the folder of `fileName`; an absolute path, and `fileName` itself, as it is. */
export function besideFile(fileName: string, path: string): string {
  if (path === fileName || /^(?:[A-Za-z]:)?[\\/]/.test(path)) return path;
  const folder = /^.*[\\/]/.exec(fileName)?.[0] ?? '';
  return folder + path;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/^.*[\\/]/, '');
}

function isWindowsPath(path: string): boolean {
  return /^[A-Za-z]:/.test(path) || path.startsWith('\\\\');
}
