#define SEC(n) __attribute__((section(n),used))
typedef unsigned int u32; typedef unsigned long long u64;
struct { int (*type)[2]; u32 *key; u64 *value; int (*max_entries)[4]; } arr SEC(".maps");
struct { int (*type)[1]; u32 *key; u64 *value; int (*max_entries)[4]; } hs SEC(".maps");
static void *(*lookup)(void*, const void*) = (void*)1;
static long (*update)(void*, const void*, const void*, u64) = (void*)2;
static u64 (*ktime)(void) = (void*)5;
static long (*foreach)(void*,void*,void*,u64)=(void*)164;
u64 glob; int garr[4];
static __attribute__((noinline)) int sub(int x){ return x*3+garr[x&3]; }
static long cb(void*m,const u32*k,u64*v,void*c){ *v+=1; return 0;}
SEC("socket") int p(void *ctx){
  u32 k=0; u64 *v=lookup(&arr,&k); if(v){ __sync_fetch_and_add(v,1); k=(u32)*v; }
  u64 t=ktime(); update(&hs,&k,&t,0);
  u64 old=__sync_lock_test_and_set(&glob,t); 
  foreach(&hs,cb,0,0);
  k = __builtin_bswap32(k);
  return sub((int)k)+(int)old + __sync_val_compare_and_swap(&glob, 1, 2);
}
char lic[] SEC("license")="GPL";
