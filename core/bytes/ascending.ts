/** Position of the last of `count` ascending numbers, which `numberAt` tells, that is not above `wanted`; −1: none. */
export function lastUpTo(count: number, wanted: number, numberAt: (index: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numberAt(middle) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
