/** Doubles each number from 10 down to 1 in a function of its own, from slot 7 on; the last result, 2, is R0's. */
export const TWICE = `.program raw
main:
  r6 = 10
  r0 = 0
again:
  r1 = r6
  call twice
  r6 -= 1
  if r6 != 0 goto again
  exit
twice:
  r0 = r1
  r0 += r1
  exit
`;
