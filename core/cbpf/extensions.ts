/**
 * The kernel's extensions of classic BPF: loads from `SKF_AD_OFF` plus these numbers do not read the
 * packet but data beside it (include/uapi/linux/filter.h, `bpf_anc_helper` in include/linux/filter.h).
 */
export interface Extension {
  /** Distance from `SKF_AD_OFF`, the `SKF_AD_…` value. */
  readonly offset: number;
  /** uapi name. */
  readonly constant: string;
  /** Word of the bpf_asm language; undefined: it has none. */
  readonly word: string | undefined;
  /** Other words that are read but not printed. */
  readonly also?: readonly string[];
  readonly meaning: string;
}

// biome-ignore format: a table, one row a line
export const EXTENSIONS: readonly Extension[] = [
  { offset: 0, constant: 'SKF_AD_PROTOCOL', word: 'proto', meaning: 'EtherType of the packet in host byte order (skb->protocol)' },
  { offset: 4, constant: 'SKF_AD_PKTTYPE', word: 'type', meaning: 'PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3, OUTGOING 4' },
  { offset: 8, constant: 'SKF_AD_IFINDEX', word: 'ifidx', meaning: 'index of the network device' },
  { offset: 12, constant: 'SKF_AD_NLATTR', word: 'nla', meaning: 'offset of the netlink attribute of type X, searched from offset A; 0: not found' },
  { offset: 16, constant: 'SKF_AD_NLATTR_NEST', word: 'nlan', meaning: 'offset of the attribute of type X nested in the netlink attribute at offset A; 0: not found' },
  { offset: 20, constant: 'SKF_AD_MARK', word: 'mark', meaning: 'packet mark (skb->mark)' },
  { offset: 24, constant: 'SKF_AD_QUEUE', word: 'queue', meaning: 'queue of the device (skb->queue_mapping)' },
  { offset: 28, constant: 'SKF_AD_HATYPE', word: 'hatype', meaning: 'hardware type of the device, ARPHRD_… (dev->type)' },
  { offset: 32, constant: 'SKF_AD_RXHASH', word: 'rxhash', meaning: 'flow hash of the packet (skb->hash)' },
  { offset: 36, constant: 'SKF_AD_CPU', word: 'cpu', meaning: 'number of the CPU that runs the filter' },
  { offset: 40, constant: 'SKF_AD_ALU_XOR_X', word: undefined, meaning: 'A ^= X' },
  { offset: 44, constant: 'SKF_AD_VLAN_TAG', word: 'vlan_tci', meaning: 'VLAN tag control information, 16 bits' },
  { offset: 48, constant: 'SKF_AD_VLAN_TAG_PRESENT', word: 'vlan_avail', also: ['vlan_pr', 'vlanp'], meaning: '1 if a VLAN tag was taken off the packet, else 0' },
  { offset: 52, constant: 'SKF_AD_PAY_OFFSET', word: 'poff', meaning: 'offset of the payload behind the headers that the kernel knows' },
  { offset: 56, constant: 'SKF_AD_RANDOM', word: 'rand', meaning: 'pseudo-random 32-bit number' },
  { offset: 60, constant: 'SKF_AD_VLAN_TPID', word: 'vlan_tpid', meaning: 'EtherType of the VLAN tag in host byte order' },
];

const BY_WORD = new Map(
  EXTENSIONS.flatMap((each) => [each.word, ...(each.also ?? [])].map((word) => [word, each] as const)),
);
const BY_OFFSET = new Map(EXTENSIONS.map((each) => [each.offset, each]));

/** The extension that a word of the language (lower case, without `#`) names. */
export function extensionByWord(word: string): Extension | undefined {
  return BY_WORD.get(word);
}

/** The extension at a distance from `SKF_AD_OFF`; undefined where the kernel knows none. */
export function extensionAt(offset: number): Extension | undefined {
  return BY_OFFSET.get(offset);
}
