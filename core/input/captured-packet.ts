/** `LINKTYPE_ETHERNET`. */
export const LINKTYPE_ETHERNET = 1;

/** One packet of a capture. */
export interface CapturedPacket {
  /** The captured bytes. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Bytes that the packet had on the wire; more than `data.length` when the capture cut it. */
  readonly originalLength: number;
  /** Nanoseconds since 1970, 0 where the capture does not say. */
  readonly timestampNs: bigint;
  /** `LINKTYPE_…` of the interface it came from; 1 is Ethernet. */
  readonly linkType: number;
}

/** What a capture holds. */
export interface Capture {
  readonly packets: readonly CapturedPacket[];
  /** `LINKTYPE_…` of the first interface; 1 (Ethernet) where there is none. */
  readonly linkType: number;
  /** What is damaged or left out, with the byte offset in the file; undefined: all was read. */
  readonly message?: string;
}

/** Most packets that are read; the message tells when there are more. */
export const MAX_PACKETS = 1_000_000;
/** Largest packet (`MAXIMUM_SNAPLEN` of libpcap); a larger length is damage. */
export const MAX_PACKET_BYTES = 262_144;
