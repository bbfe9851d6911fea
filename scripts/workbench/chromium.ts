import { firstExisting } from '../lib/paths.ts';

/** The Chromium that tests drive: `$CHROMIUM`, else where distributions put it. */
export function chromiumPath(): string | undefined {
  return (
    process.env.CHROMIUM ||
    firstExisting(['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'])
  );
}

/** Flags with which it stays on this machine and runs without a display, as root too. */
export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
