# Fibonacci numbers: a raw program. r1 is the address of its memory, r2 the memory's length; there is
# no packet, no context and no hook.
#
# The first byte of the memory is n, the result is fib(n), modulo 2^64 (exact up to n = 93).
#
# fib keeps the pair (fib(i), fib(i + 1)) in its own stack frame and hands its address to next_pair:
# a function may use its caller's frame through a pointer. Step into the call and see both frames.

        .program raw
        .globl fib
fib:
        if r2 == 0 goto empty
        r6 = *(u8 *)(r1 + 0)                    # n, counts down; r6 to r9 live through calls
        r1 = 0
        *(u64 *)(r10 - 16) = r1                 # fib(0)
        r1 = 1
        *(u64 *)(r10 - 8) = r1                  # fib(1)
        goto test
again:
        r1 = r10
        r1 += -16
        call next_pair
        r6 -= 1
test:
        if r6 != 0 goto again
        r0 = *(u64 *)(r10 - 16)
        exit
empty:
        r0 = 0
        exit

# next_pair(r1 = address of two u64): (a, b) becomes (b, a + b); returns b.
next_pair:
        r2 = *(u64 *)(r1 + 0)
        r0 = *(u64 *)(r1 + 8)
        *(u64 *)(r1 + 0) = r0
        r2 += r0
        *(u64 *)(r1 + 8) = r2
        exit
