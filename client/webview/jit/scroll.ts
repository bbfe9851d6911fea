/** Height of a row in CSS pixels: the same for all, so that the place of each is known without drawing it. */
export const ROW_HEIGHT = 20;
/** Tallest element that is made: browsers stop at 17 to 33 million pixels, and lose precision before. */
export const MAX_HEIGHT = 8_000_000;

/**
 * Where the rows of a list are. A list that is taller than what browsers can scroll is mapped onto a shorter one:
 * the bar then moves in larger steps, the wheel and the keys do not. `top` is the distance in pixels between the
 * list's beginning and what is seen first, in the full height of all rows.
 */
export interface Geometry {
  /** Of the element that the bar scrolls. */
  readonly height: number;
  readonly maxTop: number;
  /** The list is taller than the element. */
  readonly isMapped: boolean;
  /** `top` for a place of the bar. */
  topAt(scrollTop: number): number;
  /** Place of the bar for a `top`. */
  scrollTopAt(top: number): number;
}

/** The geometry of `count` rows seen through `viewport` pixels. */
export function geometry(count: number, viewport: number): Geometry {
  const full = count * ROW_HEIGHT;
  const height = Math.min(full, MAX_HEIGHT);
  const maxTop = Math.max(0, full - viewport);
  const maxScrollTop = Math.max(0, height - viewport);
  const scale = maxScrollTop === 0 ? 1 : maxTop / maxScrollTop;
  return {
    height,
    maxTop,
    isMapped: full > MAX_HEIGHT,
    topAt: (scrollTop) => clamp(scrollTop * scale, maxTop),
    scrollTopAt: (top) => clamp(top, maxTop) / scale,
  };
}

/** The `top` from which a row is in sight: as it is where it is already, else the row in the middle or at the edge. */
export function topToShow(
  row: number,
  {
    top,
    viewport,
    place,
  }: { readonly top: number; readonly viewport: number; readonly place: 'middle' | 'edge' },
): number {
  const from = row * ROW_HEIGHT;
  const isAbove = from < top;
  if (!isAbove && from + ROW_HEIGHT <= top + viewport) return top;
  // whole rows at the top: half a row there looks like a mistake
  if (place === 'middle') return Math.max(0, from - Math.floor(viewport / ROW_HEIGHT / 2) * ROW_HEIGHT);
  return isAbove ? from : from + ROW_HEIGHT - viewport;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(0, value), most);
}
