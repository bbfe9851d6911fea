/**
 * The helper functions of Linux by number. Numbers, names and signatures are the uapi's
 * (include/uapi/linux/bpf.h, complete: since Linux 6.2 new functions come as kfuncs instead); the
 * descriptions are ours.
 */

/**
 * What an argument is for, as far as its C type and name tell: `ctx` the program's context, `map` a
 * map, `key` and `value` memory of that map's key or value size, `mem` memory whose length is the
 * `size` argument beside it, `ptr` some other object, `func` a program-local function, `scalar` a number.
 */
export type HelperArgKind = 'ctx' | 'map' | 'key' | 'value' | 'mem' | 'size' | 'ptr' | 'func' | 'scalar';

/** One argument of a helper; the first is passed in R1. */
export interface HelperArg {
  readonly name: string;
  /** C type as the uapi header writes it, pointer star included. */
  readonly type: string;
  readonly kind: HelperArgKind;
}

/** A helper function. */
export interface HelperProto {
  /** Its number: `imm` of the call. */
  readonly id: number;
  /** `bpf_map_lookup_elem` */
  readonly name: string;
  /** C declaration without the semicolon. */
  readonly signature: string;
  /** C type of the result in R0; `void` where R0 has no meaning. */
  readonly returns: string;
  /** At most five; the arguments behind `...` are not listed. */
  readonly args: readonly HelperArg[];
  readonly variadic: boolean;
  /** What it does, in one line. */
  readonly description: string;
}

/** Highest helper number; all from 1 are in use. */
export const MAX_HELPER_ID = 211;

// biome-ignore format: a table, one row a line
const TABLE: readonly (readonly [id: number, signature: string, description: string])[] = [
  [1, 'void *bpf_map_lookup_elem(struct bpf_map *map, const void *key)', 'Address of the value stored under key, or NULL when the map has no such key.'],
  [2, 'long bpf_map_update_elem(struct bpf_map *map, const void *key, const void *value, u64 flags)', 'Stores value under key; flags say whether the key may or must exist (BPF_ANY, BPF_NOEXIST, BPF_EXIST).'],
  [3, 'long bpf_map_delete_elem(struct bpf_map *map, const void *key)', 'Removes key and its value from the map.'],
  [4, 'long bpf_probe_read(void *dst, u32 size, const void *unsafe_ptr)', 'Reads size bytes from any kernel or user address; dst is zeroed when the address faults. Use the _kernel or _user form instead.'],
  [5, 'u64 bpf_ktime_get_ns(void)', 'Nanoseconds since boot, without the time spent suspended (CLOCK_MONOTONIC).'],
  [6, 'long bpf_trace_printk(const char *fmt, u32 fmt_size, ...)', 'Prints a formatted line (up to three arguments) to the trace pipe; for debugging only.'],
  [7, 'u32 bpf_get_prandom_u32(void)', 'A pseudo-random 32-bit number.'],
  [8, 'u32 bpf_get_smp_processor_id(void)', 'Number of the CPU that the program runs on.'],
  [9, 'long bpf_skb_store_bytes(struct sk_buff *skb, u32 offset, const void *from, u32 len, u64 flags)', 'Overwrites packet bytes at offset with len bytes of from; packet pointers must be checked again afterwards.'],
  [10, 'long bpf_l3_csum_replace(struct sk_buff *skb, u32 offset, u64 from, u64 to, u64 size)', "Adjusts the IPv4 header checksum at offset after a field changed from one value to another; size is the field's width, or 0 with a difference in to."],
  [11, 'long bpf_l4_csum_replace(struct sk_buff *skb, u32 offset, u64 from, u64 to, u64 flags)', "Adjusts the TCP, UDP or ICMP checksum at offset; the low bits of flags give the field's width, the others say how the pseudo header counts."],
  [12, 'long bpf_tail_call(void *ctx, struct bpf_map *prog_array_map, u32 index)', 'Continues in the program that stands at index in the program array, with the same context; returns only when there is none or 33 were chained.'],
  [13, 'long bpf_clone_redirect(struct sk_buff *skb, u32 ifindex, u64 flags)', 'Sends a copy of the packet to another network device and lets the program go on with its own.'],
  [14, 'u64 bpf_get_current_pid_tgid(void)', 'Thread group id (upper half) and thread id (lower half) of the current task.'],
  [15, 'u64 bpf_get_current_uid_gid(void)', 'Group id (upper half) and user id (lower half) of the current task.'],
  [16, 'long bpf_get_current_comm(void *buf, u32 size_of_buf)', 'Copies the command name of the current task into buf, always terminated.'],
  [17, 'u32 bpf_get_cgroup_classid(struct sk_buff *skb)', "The net_cls class of the cgroup that the packet's sender belongs to; cgroup v1 only."],
  [18, 'long bpf_skb_vlan_push(struct sk_buff *skb, __be16 vlan_proto, u16 vlan_tci)', 'Inserts a VLAN tag into the packet.'],
  [19, 'long bpf_skb_vlan_pop(struct sk_buff *skb)', 'Removes the outermost VLAN tag of the packet.'],
  [20, 'long bpf_skb_get_tunnel_key(struct sk_buff *skb, struct bpf_tunnel_key *key, u32 size, u64 flags)', 'Fills key with the tunnel metadata (id, addresses, ToS, TTL) that the packet arrived with.'],
  [21, 'long bpf_skb_set_tunnel_key(struct sk_buff *skb, struct bpf_tunnel_key *key, u32 size, u64 flags)', 'Sets the tunnel metadata that a tunnel device will use when the packet is sent.'],
  [22, 'u64 bpf_perf_event_read(struct bpf_map *map, u64 flags)', 'Value of the perf counter that stands in the map at the index in flags; use bpf_perf_event_read_value instead.'],
  [23, 'long bpf_redirect(u32 ifindex, u64 flags)', 'Asks for the packet to be sent to a device; the program must return the answer, which is its redirect verdict.'],
  [24, 'u32 bpf_get_route_realm(struct sk_buff *skb)', "Routing realm of the packet's destination."],
  [25, 'long bpf_perf_event_output(void *ctx, struct bpf_map *map, u64 flags, void *data, u64 size)', "Writes a record of size bytes into the perf ring of the map's chosen CPU, for user space to read."],
  [26, 'long bpf_skb_load_bytes(const void *skb, u32 offset, void *to, u32 len)', 'Copies len packet bytes from offset into to, whatever fragments they lie in.'],
  [27, 'long bpf_get_stackid(void *ctx, struct bpf_map *map, u64 flags)', 'Walks the kernel or user stack and returns the number under which the stack map holds it.'],
  [28, 's64 bpf_csum_diff(__be32 *from, u32 from_size, __be32 *to, u32 to_size, __wsum seed)', "Ones' complement difference between two buffers, to be fed into a checksum helper; both sizes are multiples of 4."],
  [29, 'long bpf_skb_get_tunnel_opt(struct sk_buff *skb, void *opt, u32 size)', 'Copies the tunnel options that the packet arrived with into opt.'],
  [30, 'long bpf_skb_set_tunnel_opt(struct sk_buff *skb, void *opt, u32 size)', 'Sets the tunnel options for sending the packet.'],
  [31, 'long bpf_skb_change_proto(struct sk_buff *skb, __be16 proto, u64 flags)', 'Turns an IPv4 packet into an IPv6 one or back, making or removing head room; the program writes the new header.'],
  [32, 'long bpf_skb_change_type(struct sk_buff *skb, u32 type)', "Changes the packet's type (PACKET_HOST and its kin)."],
  [33, 'long bpf_skb_under_cgroup(struct sk_buff *skb, struct bpf_map *map, u32 index)', "Does the packet's socket belong to the cgroup at index of the map, or to one below it?"],
  [34, 'u32 bpf_get_hash_recalc(struct sk_buff *skb)', "Hash of the packet's flow, computed when it is not there yet."],
  [35, 'u64 bpf_get_current_task(void)', 'Address of the current task_struct, as a number.'],
  [36, 'long bpf_probe_write_user(void *dst, const void *src, u32 len)', 'Writes to user memory of the current task; dangerous, leaves a warning in the log.'],
  [37, 'long bpf_current_task_under_cgroup(struct bpf_map *map, u32 index)', 'Does the current task belong to the cgroup at index of the map, or to one below it?'],
  [38, 'long bpf_skb_change_tail(struct sk_buff *skb, u32 len, u64 flags)', 'Cuts or extends the packet to len bytes.'],
  [39, 'long bpf_skb_pull_data(struct sk_buff *skb, u32 len)', 'Makes the first len bytes of the packet directly readable and writable.'],
  [40, 's64 bpf_csum_update(struct sk_buff *skb, __wsum csum)', "Adds csum to the packet's checksum when the device gave a complete one."],
  [41, 'void bpf_set_hash_invalid(struct sk_buff *skb)', "Forgets the packet's flow hash, so that the next reader computes it again."],
  [42, 'long bpf_get_numa_node_id(void)', 'NUMA node of the CPU that the program runs on.'],
  [43, 'long bpf_skb_change_head(struct sk_buff *skb, u32 len, u64 flags)', "Grows the packet's head so that an outer header can be written."],
  [44, 'long bpf_xdp_adjust_head(struct xdp_buff *xdp_md, int delta)', "Moves the packet's start by delta bytes: negative into the head room, positive cuts bytes off."],
  [45, 'long bpf_probe_read_str(void *dst, u32 size, const void *unsafe_ptr)', 'Copies a terminated string from any address; returns its length. Use the _kernel or _user form instead.'],
  [46, 'u64 bpf_get_socket_cookie(struct sk_buff *skb)', 'Stable 64-bit identifier of the socket.'],
  [47, 'u32 bpf_get_socket_uid(struct sk_buff *skb)', "User id of the packet's socket owner."],
  [48, 'long bpf_set_hash(struct sk_buff *skb, u32 hash)', "Sets the packet's flow hash."],
  [49, 'long bpf_setsockopt(void *bpf_socket, int level, int optname, void *optval, int optlen)', 'Sets a socket option, like setsockopt(2), from inside the kernel.'],
  [50, 'long bpf_skb_adjust_room(struct sk_buff *skb, s32 len_diff, u32 mode, u64 flags)', 'Makes or removes room for headers between the MAC or network header and what follows it.'],
  [51, 'long bpf_redirect_map(struct bpf_map *map, u32 key, u64 flags)', 'Asks for the packet to go to the device, CPU or AF_XDP socket that the map holds at key; the answer is the verdict.'],
  [52, 'long bpf_sk_redirect_map(struct sk_buff *skb, struct bpf_map *map, u32 key, u64 flags)', 'Sends the packet to the socket that the map holds at key; the answer is the verdict.'],
  [53, 'long bpf_sock_map_update(struct bpf_sock_ops *skops, struct bpf_map *map, void *key, u64 flags)', 'Puts the socket of a sock_ops event into a sockmap.'],
  [54, 'long bpf_xdp_adjust_meta(struct xdp_buff *xdp_md, int delta)', 'Moves the start of the metadata area before the packet by delta bytes.'],
  [55, 'long bpf_perf_event_read_value(struct bpf_map *map, u64 flags, struct bpf_perf_event_value *buf, u32 buf_size)', 'Reads a perf counter with its enabled and running times.'],
  [56, 'long bpf_perf_prog_read_value(struct bpf_perf_event_data *ctx, struct bpf_perf_event_value *buf, u32 buf_size)', 'Reads the counter of the perf event that triggered the program.'],
  [57, 'long bpf_getsockopt(void *bpf_socket, int level, int optname, void *optval, int optlen)', 'Reads a socket option, like getsockopt(2).'],
  [58, 'long bpf_override_return(struct pt_regs *regs, u64 rc)', 'Makes the probed function return rc instead of running; only functions that allow error injection.'],
  [59, 'long bpf_sock_ops_cb_flags_set(struct bpf_sock_ops *bpf_sock, int argval)', 'Chooses which TCP events the sock_ops program is called for.'],
  [60, 'long bpf_msg_redirect_map(struct sk_msg_buff *msg, struct bpf_map *map, u32 key, u64 flags)', 'Sends the message to the socket that the map holds at key; the answer is the verdict.'],
  [61, 'long bpf_msg_apply_bytes(struct sk_msg_buff *msg, u32 bytes)', 'Lets the verdict hold for the next bytes bytes without calling the program again.'],
  [62, 'long bpf_msg_cork_bytes(struct sk_msg_buff *msg, u32 bytes)', 'Holds the program back until bytes bytes have been gathered.'],
  [63, 'long bpf_msg_pull_data(struct sk_msg_buff *msg, u32 start, u32 end, u64 flags)', 'Makes bytes start to end of the message directly readable and writable.'],
  [64, 'long bpf_bind(struct bpf_sock_addr *ctx, struct sockaddr *addr, int addr_len)', 'Binds a connecting socket to a local address.'],
  [65, 'long bpf_xdp_adjust_tail(struct xdp_buff *xdp_md, int delta)', "Moves the packet's end by delta bytes: negative cuts, positive grows within the frame."],
  [66, 'long bpf_skb_get_xfrm_state(struct sk_buff *skb, u32 index, struct bpf_xfrm_state *xfrm_state, u32 size, u64 flags)', "Fills xfrm_state with one entry of the packet's IPsec path."],
  [67, 'long bpf_get_stack(void *ctx, void *buf, u32 size, u64 flags)', 'Copies the kernel or user stack, as addresses, into buf; returns the bytes written.'],
  [68, 'long bpf_skb_load_bytes_relative(const void *skb, u32 offset, void *to, u32 len, u32 start_header)', 'Copies packet bytes counted from the MAC or network header into to.'],
  [69, 'long bpf_fib_lookup(void *ctx, struct bpf_fib_lookup *params, int plen, u32 flags)', 'Looks up the route and neighbour for the addresses in params and fills in the next hop.'],
  [70, 'long bpf_sock_hash_update(struct bpf_sock_ops *skops, struct bpf_map *map, void *key, u64 flags)', 'Puts the socket of a sock_ops event into a sockhash.'],
  [71, 'long bpf_msg_redirect_hash(struct sk_msg_buff *msg, struct bpf_map *map, void *key, u64 flags)', 'Sends the message to the socket that the sockhash holds under key; the answer is the verdict.'],
  [72, 'long bpf_sk_redirect_hash(struct sk_buff *skb, struct bpf_map *map, void *key, u64 flags)', 'Sends the packet to the socket that the sockhash holds under key; the answer is the verdict.'],
  [73, 'long bpf_lwt_push_encap(struct sk_buff *skb, u32 type, void *hdr, u32 len)', 'Wraps the packet in the header hdr for a lightweight tunnel.'],
  [74, 'long bpf_lwt_seg6_store_bytes(struct sk_buff *skb, u32 offset, const void *from, u32 len)', "Overwrites bytes of the packet's outermost IPv6 segment routing header."],
  [75, 'long bpf_lwt_seg6_adjust_srh(struct sk_buff *skb, u32 offset, s32 delta)', "Grows or shrinks the TLV area of the packet's segment routing header."],
  [76, 'long bpf_lwt_seg6_action(struct sk_buff *skb, u32 action, void *param, u32 param_len)', 'Applies a segment routing action to the packet.'],
  [77, 'long bpf_rc_repeat(void *ctx)', 'Reports that the remote control still repeats the last key.'],
  [78, 'long bpf_rc_keydown(void *ctx, u32 protocol, u64 scancode, u32 toggle)', 'Reports a key press decoded from a remote control.'],
  [79, 'u64 bpf_skb_cgroup_id(struct sk_buff *skb)', "Id of the cgroup of the packet's socket."],
  [80, 'u64 bpf_get_current_cgroup_id(void)', 'Id of the cgroup of the current task.'],
  [81, 'void *bpf_get_local_storage(void *map, u64 flags)', 'Address of the storage that a cgroup storage map keeps for this attachment.'],
  [82, 'long bpf_sk_select_reuseport(struct sk_reuseport_md *reuse, struct bpf_map *map, void *key, u64 flags)', 'Picks the socket of a reuseport group that the map holds at key.'],
  [83, 'u64 bpf_skb_ancestor_cgroup_id(struct sk_buff *skb, int ancestor_level)', "Id of the ancestor at ancestor_level of the cgroup of the packet's socket."],
  [84, 'struct bpf_sock *bpf_sk_lookup_tcp(void *ctx, struct bpf_sock_tuple *tuple, u32 tuple_size, u64 netns, u64 flags)', 'Finds the TCP socket for a tuple; the reference must be given back with bpf_sk_release.'],
  [85, 'struct bpf_sock *bpf_sk_lookup_udp(void *ctx, struct bpf_sock_tuple *tuple, u32 tuple_size, u64 netns, u64 flags)', 'Finds the UDP socket for a tuple; the reference must be given back with bpf_sk_release.'],
  [86, 'long bpf_sk_release(void *sock)', 'Gives back a socket reference.'],
  [87, 'long bpf_map_push_elem(struct bpf_map *map, const void *value, u64 flags)', 'Appends value to a queue or stack map.'],
  [88, 'long bpf_map_pop_elem(struct bpf_map *map, void *value)', 'Takes the next value out of a queue or stack map.'],
  [89, 'long bpf_map_peek_elem(struct bpf_map *map, void *value)', 'Reads the next value of a queue or stack map without taking it out.'],
  [90, 'long bpf_msg_push_data(struct sk_msg_buff *msg, u32 start, u32 len, u64 flags)', 'Inserts len bytes into the message at start.'],
  [91, 'long bpf_msg_pop_data(struct sk_msg_buff *msg, u32 start, u32 len, u64 flags)', 'Removes len bytes from the message at start.'],
  [92, 'long bpf_rc_pointer_rel(void *ctx, s32 rel_x, s32 rel_y)', 'Reports a relative pointer movement decoded from a remote control.'],
  [93, 'long bpf_spin_lock(struct bpf_spin_lock *lock)', 'Takes the spin lock that lies in a map value.'],
  [94, 'long bpf_spin_unlock(struct bpf_spin_lock *lock)', 'Releases the spin lock that lies in a map value.'],
  [95, 'struct bpf_sock *bpf_sk_fullsock(struct bpf_sock *sk)', 'The full socket behind a socket pointer, or NULL when it has none.'],
  [96, 'struct bpf_tcp_sock *bpf_tcp_sock(struct bpf_sock *sk)', 'The TCP part of a socket, or NULL when it is not TCP.'],
  [97, 'long bpf_skb_ecn_set_ce(struct sk_buff *skb)', 'Sets the ECN field of the packet to congestion experienced, where the sender allows it.'],
  [98, 'struct bpf_sock *bpf_get_listener_sock(struct bpf_sock *sk)', 'The listening socket of a socket, or NULL.'],
  [99, 'struct bpf_sock *bpf_skc_lookup_tcp(void *ctx, struct bpf_sock_tuple *tuple, u32 tuple_size, u64 netns, u64 flags)', 'Finds the TCP socket for a tuple, request and time-wait sockets included; to be given back with bpf_sk_release.'],
  [100, 'long bpf_tcp_check_syncookie(void *sk, void *iph, u32 iph_len, struct tcphdr *th, u32 th_len)', 'Is the packet an ACK that answers a valid SYN cookie of the listening socket?'],
  [101, 'long bpf_sysctl_get_name(struct bpf_sysctl *ctx, char *buf, size_t buf_len, u64 flags)', 'Copies the name of the sysctl being accessed.'],
  [102, 'long bpf_sysctl_get_current_value(struct bpf_sysctl *ctx, char *buf, size_t buf_len)', 'Copies the value that the sysctl has now.'],
  [103, 'long bpf_sysctl_get_new_value(struct bpf_sysctl *ctx, char *buf, size_t buf_len)', 'Copies the value that user space wants to write to the sysctl.'],
  [104, 'long bpf_sysctl_set_new_value(struct bpf_sysctl *ctx, const char *buf, size_t buf_len)', 'Replaces the value that user space wants to write to the sysctl.'],
  [105, 'long bpf_strtol(const char *buf, size_t buf_len, u64 flags, long *res)', 'Reads a signed number from text; returns the characters used.'],
  [106, 'long bpf_strtoul(const char *buf, size_t buf_len, u64 flags, unsigned long *res)', 'Reads an unsigned number from text; returns the characters used.'],
  [107, 'void *bpf_sk_storage_get(struct bpf_map *map, void *sk, void *value, u64 flags)', 'Address of the value that the map keeps for a socket, made when flags ask for it.'],
  [108, 'long bpf_sk_storage_delete(struct bpf_map *map, void *sk)', 'Removes the value that the map keeps for a socket.'],
  [109, 'long bpf_send_signal(u32 sig)', 'Sends signal sig to the current process.'],
  [110, 's64 bpf_tcp_gen_syncookie(void *sk, void *iph, u32 iph_len, struct tcphdr *th, u32 th_len)', 'Makes a SYN cookie for a SYN packet of the listening socket.'],
  [111, 'long bpf_skb_output(void *ctx, struct bpf_map *map, u64 flags, void *data, u64 size)', 'Writes a record with packet data into a perf ring, from a tracing program that has the sk_buff.'],
  [112, 'long bpf_probe_read_user(void *dst, u32 size, const void *unsafe_ptr)', 'Reads size bytes from a user address; dst is zeroed when the address faults.'],
  [113, 'long bpf_probe_read_kernel(void *dst, u32 size, const void *unsafe_ptr)', 'Reads size bytes from a kernel address; dst is zeroed when the address faults.'],
  [114, 'long bpf_probe_read_user_str(void *dst, u32 size, const void *unsafe_ptr)', 'Copies a terminated string from a user address; returns its length with the terminator.'],
  [115, 'long bpf_probe_read_kernel_str(void *dst, u32 size, const void *unsafe_ptr)', 'Copies a terminated string from a kernel address; returns its length with the terminator.'],
  [116, 'long bpf_tcp_send_ack(void *tp, u32 rcv_nxt)', 'Sends a TCP acknowledgement that expects rcv_nxt.'],
  [117, 'long bpf_send_signal_thread(u32 sig)', 'Sends signal sig to the current thread.'],
  [118, 'u64 bpf_jiffies64(void)', 'The 64-bit jiffies counter.'],
  [119, 'long bpf_read_branch_records(struct bpf_perf_event_data *ctx, void *buf, u32 size, u64 flags)', "Copies the branch records of the perf event's sample into buf."],
  [120, 'long bpf_get_ns_current_pid_tgid(u64 dev, u64 ino, struct bpf_pidns_info *nsdata, u32 size)', 'Process and thread ids of the current task as a pid namespace sees them.'],
  [121, 'long bpf_xdp_output(void *ctx, struct bpf_map *map, u64 flags, void *data, u64 size)', 'Writes a record with packet data into a perf ring, from a tracing program that has the xdp_buff.'],
  [122, 'u64 bpf_get_netns_cookie(void *ctx)', 'Stable identifier of the network namespace of the context.'],
  [123, 'u64 bpf_get_current_ancestor_cgroup_id(int ancestor_level)', "Id of the ancestor at ancestor_level of the current task's cgroup."],
  [124, 'long bpf_sk_assign(struct sk_buff *skb, void *sk, u64 flags)', 'Steers the packet to socket sk.'],
  [125, 'u64 bpf_ktime_get_boot_ns(void)', 'Nanoseconds since boot, the time spent suspended included (CLOCK_BOOTTIME).'],
  [126, 'long bpf_seq_printf(struct seq_file *m, const char *fmt, u32 fmt_size, const void *data, u32 data_len)', 'Prints a formatted line into the seq_file of an iterator.'],
  [127, 'long bpf_seq_write(struct seq_file *m, const void *data, u32 len)', 'Writes len bytes into the seq_file of an iterator.'],
  [128, 'u64 bpf_sk_cgroup_id(void *sk)', 'Id of the cgroup of a socket.'],
  [129, 'u64 bpf_sk_ancestor_cgroup_id(void *sk, int ancestor_level)', "Id of the ancestor at ancestor_level of a socket's cgroup."],
  [130, 'long bpf_ringbuf_output(void *ringbuf, void *data, u64 size, u64 flags)', 'Copies size bytes as a record into the ring buffer.'],
  [131, 'void *bpf_ringbuf_reserve(void *ringbuf, u64 size, u64 flags)', 'Reserves size bytes in the ring buffer; the record must be submitted or discarded.'],
  [132, 'void bpf_ringbuf_submit(void *data, u64 flags)', 'Publishes a reserved record of a ring buffer.'],
  [133, 'void bpf_ringbuf_discard(void *data, u64 flags)', 'Drops a reserved record of a ring buffer.'],
  [134, 'u64 bpf_ringbuf_query(void *ringbuf, u64 flags)', 'Asks a ring buffer for its size, its unread bytes or a position.'],
  [135, 'long bpf_csum_level(struct sk_buff *skb, u64 level)', 'Changes or asks for the number of checksums already verified.'],
  [136, 'struct tcp6_sock *bpf_skc_to_tcp6_sock(void *sk)', 'The socket as a tcp6_sock, or NULL.'],
  [137, 'struct tcp_sock *bpf_skc_to_tcp_sock(void *sk)', 'The socket as a tcp_sock, or NULL.'],
  [138, 'struct tcp_timewait_sock *bpf_skc_to_tcp_timewait_sock(void *sk)', 'The socket as a tcp_timewait_sock, or NULL.'],
  [139, 'struct tcp_request_sock *bpf_skc_to_tcp_request_sock(void *sk)', 'The socket as a tcp_request_sock, or NULL.'],
  [140, 'struct udp6_sock *bpf_skc_to_udp6_sock(void *sk)', 'The socket as a udp6_sock, or NULL.'],
  [141, 'long bpf_get_task_stack(struct task_struct *task, void *buf, u32 size, u64 flags)', 'Copies the stack of a task, as addresses, into buf.'],
  [142, 'long bpf_load_hdr_opt(struct bpf_sock_ops *skops, void *searchby_res, u32 len, u64 flags)', 'Looks for a TCP header option and copies it out.'],
  [143, 'long bpf_store_hdr_opt(struct bpf_sock_ops *skops, const void *from, u32 len, u64 flags)', 'Writes a TCP header option into room reserved before.'],
  [144, 'long bpf_reserve_hdr_opt(struct bpf_sock_ops *skops, u32 len, u64 flags)', 'Reserves room for a TCP header option.'],
  [145, 'void *bpf_inode_storage_get(struct bpf_map *map, void *inode, void *value, u64 flags)', 'Address of the value that the map keeps for an inode, made when flags ask for it.'],
  [146, 'int bpf_inode_storage_delete(struct bpf_map *map, void *inode)', 'Removes the value that the map keeps for an inode.'],
  [147, 'long bpf_d_path(struct path *path, char *buf, u32 sz)', 'Writes the full path of a struct path as text.'],
  [148, 'long bpf_copy_from_user(void *dst, u32 size, const void *user_ptr)', 'Reads size bytes from user memory, waiting for a page where needed; sleepable programs only.'],
  [149, 'long bpf_snprintf_btf(char *str, u32 str_size, struct btf_ptr *ptr, u32 btf_ptr_size, u64 flags)', 'Writes a kernel object as text, after its BTF type.'],
  [150, 'long bpf_seq_printf_btf(struct seq_file *m, struct btf_ptr *ptr, u32 ptr_size, u64 flags)', 'Prints a kernel object as text into a seq_file, after its BTF type.'],
  [151, 'u64 bpf_skb_cgroup_classid(struct sk_buff *skb)', "The net_cls class of the cgroup that the packet's socket belongs to."],
  [152, 'long bpf_redirect_neigh(u32 ifindex, struct bpf_redir_neigh *params, int plen, u64 flags)', 'Asks for the packet to be sent to a device with the neighbour looked up there; the answer is the verdict.'],
  [153, 'void *bpf_per_cpu_ptr(const void *percpu_ptr, u32 cpu)', 'Address of the per-CPU variable on the given CPU, or NULL.'],
  [154, 'void *bpf_this_cpu_ptr(const void *percpu_ptr)', 'Address of the per-CPU variable on this CPU.'],
  [155, 'long bpf_redirect_peer(u32 ifindex, u64 flags)', 'Asks for the packet to appear on the peer of a device in its other namespace; the answer is the verdict.'],
  [156, 'void *bpf_task_storage_get(struct bpf_map *map, struct task_struct *task, void *value, u64 flags)', 'Address of the value that the map keeps for a task, made when flags ask for it.'],
  [157, 'long bpf_task_storage_delete(struct bpf_map *map, struct task_struct *task)', 'Removes the value that the map keeps for a task.'],
  [158, 'struct task_struct *bpf_get_current_task_btf(void)', 'The current task as a typed pointer.'],
  [159, 'long bpf_bprm_opts_set(struct linux_binprm *bprm, u64 flags)', 'Sets options of the program being executed, such as secure execution.'],
  [160, 'u64 bpf_ktime_get_coarse_ns(void)', 'Nanoseconds since boot from the coarse clock: cheaper, one tick of precision.'],
  [161, 'long bpf_ima_inode_hash(struct inode *inode, void *dst, u32 size)', 'Copies the IMA hash of an inode.'],
  [162, 'struct socket *bpf_sock_from_file(struct file *file)', 'The socket behind a file, or NULL.'],
  [163, 'long bpf_check_mtu(void *ctx, u32 ifindex, u32 *mtu_len, s32 len_diff, u64 flags)', 'Would the packet, changed by len_diff, fit the MTU of the device?'],
  [164, 'long bpf_for_each_map_elem(struct bpf_map *map, void *callback_fn, void *callback_ctx, u64 flags)', 'Calls callback_fn for each element of the map until it returns 1; returns the number visited.'],
  [165, 'long bpf_snprintf(char *str, u32 str_size, const char *fmt, u64 *data, u32 data_len)', 'Writes a formatted text into str; returns its length with the terminator.'],
  [166, 'long bpf_sys_bpf(u32 cmd, void *attr, u32 attr_size)', 'Calls the bpf system call from a syscall program.'],
  [167, 'long bpf_btf_find_by_name_kind(char *name, int name_sz, u32 kind, int flags)', 'Finds a BTF type by name and kind; returns object fd and type id.'],
  [168, 'long bpf_sys_close(u32 fd)', 'Closes a file descriptor from a syscall program.'],
  [169, 'long bpf_timer_init(struct bpf_timer *timer, struct bpf_map *map, u64 flags)', 'Prepares a timer that lies in a map value.'],
  [170, 'long bpf_timer_set_callback(struct bpf_timer *timer, void *callback_fn)', 'Sets the function that the timer will call.'],
  [171, 'long bpf_timer_start(struct bpf_timer *timer, u64 nsecs, u64 flags)', 'Starts the timer to go off after nsecs nanoseconds.'],
  [172, 'long bpf_timer_cancel(struct bpf_timer *timer)', 'Cancels the timer and waits for a running callback.'],
  [173, 'u64 bpf_get_func_ip(void *ctx)', 'Address of the traced function.'],
  [174, 'u64 bpf_get_attach_cookie(void *ctx)', 'The number that user space gave when it attached the program.'],
  [175, 'long bpf_task_pt_regs(struct task_struct *task)', 'Saved user registers of a task.'],
  [176, 'long bpf_get_branch_snapshot(void *entries, u32 size, u64 flags)', "Copies the last taken branches from the CPU's record."],
  [177, 'long bpf_trace_vprintk(const char *fmt, u32 fmt_size, const void *data, u32 data_len)', 'Prints a formatted line with any number of arguments to the trace pipe.'],
  [178, 'struct unix_sock *bpf_skc_to_unix_sock(void *sk)', 'The socket as a unix_sock, or NULL.'],
  [179, 'long bpf_kallsyms_lookup_name(const char *name, int name_sz, int flags, u64 *res)', 'Address of a kernel symbol by name, from a syscall program.'],
  [180, 'long bpf_find_vma(struct task_struct *task, u64 addr, void *callback_fn, void *callback_ctx, u64 flags)', 'Finds the memory area of a task that holds addr and calls callback_fn with it.'],
  [181, 'long bpf_loop(u32 nr_loops, void *callback_fn, void *callback_ctx, u64 flags)', 'Calls callback_fn up to nr_loops times, until it returns 1; returns the number of calls.'],
  [182, 'long bpf_strncmp(const char *s1, u32 s1_sz, const char *s2)', 'Compares two strings of which the second is constant.'],
  [183, 'long bpf_get_func_arg(void *ctx, u32 n, u64 *value)', 'Reads argument n of the traced function.'],
  [184, 'long bpf_get_func_ret(void *ctx, u64 *value)', 'Reads the return value of the traced function.'],
  [185, 'long bpf_get_func_arg_cnt(void *ctx)', 'Number of arguments of the traced function.'],
  [186, 'int bpf_get_retval(void)', 'The error that the system call will return, as set by earlier programs.'],
  [187, 'int bpf_set_retval(int retval)', 'Sets the error that the system call will return.'],
  [188, 'u64 bpf_xdp_get_buff_len(struct xdp_buff *xdp_md)', 'Length of the packet with all its fragments.'],
  [189, 'long bpf_xdp_load_bytes(struct xdp_buff *xdp_md, u32 offset, void *buf, u32 len)', 'Copies len packet bytes from offset into buf, whatever fragments they lie in.'],
  [190, 'long bpf_xdp_store_bytes(struct xdp_buff *xdp_md, u32 offset, void *buf, u32 len)', 'Overwrites len packet bytes at offset with buf, whatever fragments they lie in.'],
  [191, 'long bpf_copy_from_user_task(void *dst, u32 size, const void *user_ptr, struct task_struct *tsk, u64 flags)', 'Reads user memory of another task; sleepable programs only.'],
  [192, 'long bpf_skb_set_tstamp(struct sk_buff *skb, u64 tstamp, u32 tstamp_type)', "Changes the packet's time stamp and its kind."],
  [193, 'long bpf_ima_file_hash(struct file *file, void *dst, u32 size)', 'Copies the IMA hash of a file.'],
  [194, 'void *bpf_kptr_xchg(void *map_value, void *ptr)', 'Exchanges the kernel pointer in a map value with ptr and returns the old one.'],
  [195, 'void *bpf_map_lookup_percpu_elem(struct bpf_map *map, const void *key, u32 cpu)', 'Address of the value under key on the given CPU of a per-CPU map, or NULL.'],
  [196, 'struct mptcp_sock *bpf_skc_to_mptcp_sock(void *sk)', 'The socket as an mptcp_sock, or NULL.'],
  [197, 'long bpf_dynptr_from_mem(void *data, u32 size, u64 flags, struct bpf_dynptr *ptr)', 'Makes a dynptr of memory in a map value.'],
  [198, 'long bpf_ringbuf_reserve_dynptr(void *ringbuf, u32 size, u64 flags, struct bpf_dynptr *ptr)', 'Reserves a record of the ring buffer as a dynptr.'],
  [199, 'void bpf_ringbuf_submit_dynptr(struct bpf_dynptr *ptr, u64 flags)', 'Publishes a record reserved as a dynptr.'],
  [200, 'void bpf_ringbuf_discard_dynptr(struct bpf_dynptr *ptr, u64 flags)', 'Drops a record reserved as a dynptr.'],
  [201, 'long bpf_dynptr_read(void *dst, u32 len, struct bpf_dynptr *src, u32 offset, u64 flags)', 'Copies len bytes out of a dynptr.'],
  [202, 'long bpf_dynptr_write(struct bpf_dynptr *dst, u32 offset, void *src, u32 len, u64 flags)', 'Copies len bytes into a dynptr.'],
  [203, 'void *bpf_dynptr_data(struct bpf_dynptr *ptr, u32 offset, u32 len)', 'Address of len bytes inside a dynptr, or NULL when they do not fit.'],
  [204, 's64 bpf_tcp_raw_gen_syncookie_ipv4(struct iphdr *iph, struct tcphdr *th, u32 th_len)', 'Makes an IPv4 SYN cookie from headers alone, without a socket.'],
  [205, 's64 bpf_tcp_raw_gen_syncookie_ipv6(struct ipv6hdr *iph, struct tcphdr *th, u32 th_len)', 'Makes an IPv6 SYN cookie from headers alone, without a socket.'],
  [206, 'long bpf_tcp_raw_check_syncookie_ipv4(struct iphdr *iph, struct tcphdr *th)', 'Checks an IPv4 SYN cookie from headers alone, without a socket.'],
  [207, 'long bpf_tcp_raw_check_syncookie_ipv6(struct ipv6hdr *iph, struct tcphdr *th)', 'Checks an IPv6 SYN cookie from headers alone, without a socket.'],
  [208, 'u64 bpf_ktime_get_tai_ns(void)', 'Nanoseconds of international atomic time (CLOCK_TAI).'],
  [209, 'long bpf_user_ringbuf_drain(struct bpf_map *map, void *callback_fn, void *ctx, u64 flags)', 'Calls callback_fn for each record that user space put into the ring buffer.'],
  [210, 'void *bpf_cgrp_storage_get(struct bpf_map *map, struct cgroup *cgroup, void *value, u64 flags)', 'Address of the value that the map keeps for a cgroup, made when flags ask for it.'],
  [211, 'long bpf_cgrp_storage_delete(struct bpf_map *map, struct cgroup *cgroup)', 'Removes the value that the map keeps for a cgroup.'],
];

/** Types of the first argument that are the program's context as the kernel declares it. */
const CONTEXTS = [
  'struct sk_buff *',
  'struct xdp_buff *',
  'struct pt_regs *',
  'struct bpf_sock_ops *',
  'struct sk_msg_buff *',
  'struct bpf_sock_addr *',
  'struct bpf_sysctl *',
  'struct sk_reuseport_md *',
  'struct bpf_perf_event_data *',
];

/** Every helper function by number (include/uapi/linux/bpf.h, `___BPF_FUNC_MAPPER`). */
export const HELPERS: readonly HelperProto[] = TABLE.map(([id, signature, description]) =>
  parseSignature(id, signature, description),
);

const byId = new Map(HELPERS.map((helper) => [helper.id, helper]));
const byName = new Map(HELPERS.map((helper) => [helper.name, helper]));

/** The helper with number `id`; undefined when there is none. */
export function helperById(id: number): HelperProto | undefined {
  return byId.get(id);
}

/** The helper called `name` (`bpf_map_lookup_elem`); undefined when there is none. */
export function helperByName(name: string): HelperProto | undefined {
  return byName.get(name);
}

function parseSignature(id: number, signature: string, description: string): HelperProto {
  const open = signature.indexOf('(');
  const [returns, name] = splitDeclarator(signature.slice(0, open));
  const texts = signature.slice(open + 1, -1).split(', ');
  const variadic = texts.at(-1) === '...';
  const declared = texts.filter((text) => text !== '...' && text !== 'void').map(splitDeclarator);
  const args = declared.map(([type, arg], i) => ({ name: arg, type, kind: argKind(declared, i) }));
  return { id, name, signature, returns, args, variadic, description };
}

/** `const void *key` → [`const void *`, `key`] */
function splitDeclarator(text: string): [type: string, name: string] {
  const name = /\w+$/.exec(text)?.[0] ?? '';
  return [text.slice(0, text.length - name.length).trimEnd(), name];
}

function argKind(declared: readonly (readonly [string, string])[], i: number): HelperArgKind {
  const [type, name] = declared[i] ?? ['', ''];
  const hasMap = declared.some(([t]) => t === 'struct bpf_map *');
  if (!type.endsWith('*')) {
    return isSize(type, name) && i > 0 && argKind(declared, i - 1) === 'mem' ? 'size' : 'scalar';
  }
  if (type === 'struct bpf_map *' || name === 'ringbuf' || (name === 'map' && type === 'void *'))
    return 'map';
  if (name === 'callback_fn') return 'func';
  if (CONTEXTS.includes(type) || (i === 0 && (name === 'ctx' || name === 'skb' || name === 'bpf_socket')))
    return 'ctx';
  if (name === 'key' && hasMap) return 'key';
  if (name === 'value' && hasMap) return 'value';
  const next = declared[i + 1];
  if (next && isSize(next[0], next[1])) return 'mem';
  return 'ptr';
}

function isSize(type: string, name: string): boolean {
  return (
    !type.endsWith('*') && /^(len|plen|sz|optlen|buf_len|.*_size|.*_sz|.*_len|size|size_of_buf)$/.test(name)
  );
}
