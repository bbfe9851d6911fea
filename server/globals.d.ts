// What the server may use of its host beside core/globals.d.ts: timers, which Node and browsers both have.
declare function setTimeout(callback: () => void, milliseconds?: number): { readonly timer: never };
declare function clearTimeout(timer: ReturnType<typeof setTimeout> | undefined): void;
