typedef unsigned int u32; typedef unsigned long long u64; typedef unsigned short u16; typedef unsigned char u8;
#define SEC(n) __attribute__((section(n), used))
struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress; };
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_trace_printk)(const char *fmt, u32 n, ...) = (void *)6;
static u64 (*bpf_ktime_get_ns)(void) = (void *)5;
struct { int (*type)[1]; u32 *key; u64 *value; int (*max_entries)[16]; } counts SEC(".maps");
static __attribute__((noinline)) int sum(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
static __attribute__((noinline)) void bump(u64 *p) { if (p) __sync_fetch_and_add(p, 1); }
__attribute__((noinline)) int glob(u32 a, u32 b, u32 c) { return a * b / (c + 1); }
static int sw(int x) { switch (x) { case 1: return 17; case 2: return 4; case 3: return 99; case 4: return 3; case 5: return 12; default: return 0; } }
SEC("xdp") int prog(struct xdp_md *ctx) {
  void *d = (void *)(long)ctx->data, *e = (void *)(long)ctx->data_end;
  u8 *b = d; if (b + 34 > (u8 *)e) return 2;
  u32 key = b[12]; u64 *v = bpf_map_lookup_elem(&counts, &key);
  bump(v);
  int arr[8]; for (int i = 0; i < 8; i++) arr[i] = b[i];
  char fmt[] = "hello %d\n"; bpf_trace_printk(fmt, sizeof fmt, arr[0]);
  return sum(arr, 8) + glob(key, arr[1], arr[2]) + sw(key) & 1 ? 1 : 2;
}
SEC("xdp/other") int loopy(struct xdp_md *ctx) { for (;;) { if (bpf_ktime_get_ns() & 1) break; } return 2; }
SEC("license") char lic[] = "GPL";
