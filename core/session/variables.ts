import { CTX_FIELDS } from '../ctx/fields.ts';
import { REGISTERS } from '../isa/registers.ts';
import { MAX_BPF_STACK } from '../vm/layout.ts';
import { ownText } from './classic.ts';
import { classicRegisterRows, scratchRows } from './classic-rows.ts';
import type { LoadedContext } from './context-fields.ts';
import { contextFieldValue } from './context-fields.ts';
import { entryExpression, mapEntryRows } from './map-entries.ts';
import { memoryPlace, pointerMeaning, registerMeaning, valueMeaning, valueText } from './meaning.ts';
import { nativeRows, nativeScope } from './native/native-scope.ts';
import { type FrameContext, shortHex } from './results.ts';
import { N_SECCOMP_FIELDS, seccompRows } from './seccomp-rows.ts';
import type { Container, ScopeRow, VariableRow } from './target-rows.ts';
import { mapRow } from './variables-map.ts';

/** Most rows of one answer, however many were asked for. */
const MAX_ROWS = 10_000;

/** The scopes of a frame. */
export function frameScopes(context: LoadedContext): readonly ScopeRow[] {
  const { loaded } = context;
  const isClassic = ownText(loaded) !== undefined;
  const registers = isClassic ? registerRows(context).length : 11;
  const scopes: ScopeRow[] = [
    { name: 'Registers', container: { kind: 'registers' }, named: registers, expensive: false },
  ];
  const native = nativeScope(context);
  if (native !== undefined) scopes.push(native);
  if (!isClassic) {
    const named = stackDepthShown(context) / 8;
    scopes.push({ name: 'Stack', container: { kind: 'stack' }, named, expensive: false });
  }
  const packet = dataRegion(context);
  if (packet !== undefined) {
    const name = loaded.main.attr.progType === 'raw' ? 'Memory' : 'Packet';
    const rows = Math.ceil(packet.size / 16);
    scopes.push({ name, container: { kind: 'packet' }, indexed: rows, expensive: false });
  }
  const isSeccomp = loaded.classic?.attach === 'seccomp';
  const fields = isSeccomp ? N_SECCOMP_FIELDS : CTX_FIELDS[loaded.main.attr.progType].length;
  if (fields > 0) {
    scopes.push({ name: 'Context', container: { kind: 'context' }, named: fields, expensive: false });
  }
  if (loaded.maps.size > 0) {
    scopes.push({ name: 'Maps', container: { kind: 'maps' }, named: loaded.maps.size, expensive: false });
  }
  return scopes;
}

/** Rows `start`…`start + count` of a container; fewer at its end, none for what does not exist any more. */
export function containerRows(
  context: LoadedContext,
  of: Container,
  start: number,
  count: number,
): readonly VariableRow[] {
  const end = start + Math.min(count, MAX_ROWS);
  switch (of.kind) {
    case 'registers':
      return registerRows(context).slice(start, end);
    case 'native':
      return nativeRows(context).slice(start, end);
    case 'scratch':
      return scratchRows(context).slice(start, end);
    case 'stack':
      return stackRows(context).slice(start, end);
    case 'packet': {
      const region = dataRegion(context);
      if (region === undefined) return [];
      const rows: Container & { kind: 'memory' } = {
        kind: 'memory',
        addr: region.addr,
        size: region.size,
        unit: 16,
        from: -region.origin,
      };
      return memoryRows(context, rows, start, end);
    }
    case 'context':
      return contextRows(context).slice(start, end);
    case 'maps':
      return [...context.loaded.maps.values()].map(mapRow).slice(start, end);
    case 'map': {
      const map = context.loaded.machine.maps.get(of.id);
      return map === undefined ? [] : mapEntryRows(context, map, start, end);
    }
    case 'memory':
      return memoryRows(context, of, start, end);
  }
}

/**
 * The expression behind the row called `name` of a container; or why there is none to set. Rows of maps and
 * memory are found by their name, however many there are.
 */
export function rowExpression(
  context: LoadedContext,
  of: Container,
  name: string,
): { readonly expression: string } | { readonly refusal: string } {
  const refusal = `${name} cannot be set`;
  if (of.kind === 'map') {
    const map = context.loaded.machine.maps.get(of.id);
    const expression = map && entryExpression(map, name);
    return expression === undefined ? { refusal } : { expression };
  }
  if (of.kind === 'memory' && of.unit === 1) {
    const offset = Number(/^\[(-?\d+)\]$/.exec(name)?.[1] ?? Number.NaN) - of.from;
    if (!(offset >= 0 && offset < of.size)) return { refusal };
    return { expression: byteExpression(of.addr + BigInt(offset)) };
  }
  const row = containerRows(context, of, 0, MAX_ROWS).find((one) => one.name === name);
  if (row?.readOnly === true && name === 'r10') return { refusal: `${refusal}: it is the frame pointer` };
  if (of.kind === 'context' && row?.evaluateName === undefined)
    return { refusal: `${refusal}: the kernel fills it in; a launch sets it with "ctx"` };
  return row?.evaluateName === undefined || row.readOnly === true
    ? { refusal }
    : { expression: row.evaluateName };
}

function byteExpression(addr: bigint): string {
  return `*(u8 *)(0x${addr.toString(16)})`;
}

/** The packet of the run, or a raw program's memory. */
function dataRegion(
  context: LoadedContext,
): { readonly addr: bigint; readonly size: number; readonly origin: number } | undefined {
  const { loaded, prepared } = context;
  const packet = loaded.cpu.current?.packet;
  if (packet !== undefined) return packet;
  if (loaded.main.attr.progType !== 'raw' || prepared === undefined) return undefined;
  return loaded.machine.space.regionAt(prepared.r1);
}

function registerRows(context: FrameContext): VariableRow[] {
  const { loaded, frames, frame } = context;
  if (frame === undefined) return [];
  const classic = ownText(loaded);
  if (classic !== undefined) return classicRegisterRows(context, classic);
  const initialised = frame.index === 0 ? loaded.cpu.regInitialised : -1;
  return REGISTERS.filter((register) => register.saved !== 'hidden').map(({ number, name }) => {
    const value = frame.view.reg(number);
    if (value === undefined) {
      return { name, value: 'not kept over the call', type: 'u64', readOnly: true };
    }
    const pointer = pointerMeaning(loaded, frames, frame, value);
    const place = memoryPlace(loaded, value);
    const hasValue = (initialised & (1 << number)) !== 0;
    const text = valueText(value, registerMeaning(loaded, frames, frame, number, value));
    return {
      name,
      value: hasValue ? text : `${text} (no value yet)`,
      type: pointer === undefined ? 'u64' : 'pointer',
      evaluateName: name,
      ...(place === undefined ? {} : { memory: place }),
      ...(number === 10 || frame.index > 0 ? { readOnly: true } : {}),
    };
  });
}

/** Bytes below the frame pointer that are worth rows: what the function uses and what has been written. */
function stackDepthShown(context: FrameContext): number {
  const { loaded, frame } = context;
  if (frame === undefined) return 0;
  const written = loaded.machine.space.initialised(frame.view.fp - BigInt(MAX_BPF_STACK), MAX_BPF_STACK);
  const lowest = written?.findIndex((byte) => byte !== 0) ?? 0;
  const depth = Math.max(frame.view.subprog.stackDepth, lowest < 0 ? 0 : MAX_BPF_STACK - lowest, 8);
  return Math.ceil(depth / 8) * 8;
}

function stackRows(context: FrameContext): VariableRow[] {
  const { loaded, frames, frame } = context;
  if (frame === undefined) return [];
  const { space } = loaded.machine;
  const rows: VariableRow[] = [];
  for (let offset = 8; offset <= stackDepthShown(context); offset += 8) {
    const addr = frame.view.fp - BigInt(offset);
    const bytes = space.read(addr, 8);
    if (bytes === undefined) break;
    const written = space.initialised(addr, 8)?.some((byte) => byte !== 0) ?? true;
    const value = new DataView(bytes.buffer).getBigUint64(0, true);
    const place = memoryPlace(loaded, addr);
    rows.push({
      name: `fp - ${offset}`,
      value: written ? valueText(value, valueMeaning(loaded, frames, frame, value)) : 'not written yet',
      type: 'u64',
      evaluateName: `*(u64 *)(r10 - ${offset})`,
      ...(place === undefined ? {} : { memory: place }),
    });
  }
  return rows;
}

function contextRows(context: LoadedContext): VariableRow[] {
  const { loaded, frames, frame } = context;
  if (loaded.classic?.attach === 'seccomp') return seccompRows(context);
  return CTX_FIELDS[loaded.main.attr.progType].map((field) => {
    const value = contextFieldValue(context, field);
    const meaning = value === undefined ? undefined : valueMeaning(loaded, frames, frame, value);
    const place = value === undefined || meaning === undefined ? undefined : memoryPlace(loaded, value);
    return {
      name: field.name,
      value: value === undefined ? 'not known' : valueText(value, meaning),
      type: field.pointer ? 'pointer' : `u${field.size * 8}`,
      readOnly: true,
      ...(place === undefined ? {} : { memory: place }),
    };
  });
}

function memoryRows(
  context: FrameContext,
  of: Container & { kind: 'memory' },
  start: number,
  end: number,
): VariableRow[] {
  const rows: VariableRow[] = [];
  const last = Math.min(end, Math.ceil(of.size / of.unit));
  for (let row = start; row < last; row++) {
    const offset = row * of.unit;
    const size = Math.min(of.unit, of.size - offset);
    const addr = of.addr + BigInt(offset);
    const bytes = context.loaded.machine.space.read(addr, size);
    if (bytes === undefined) break;
    const place = memoryPlace(context.loaded, addr);
    const name = of.from + offset;
    const common = place === undefined ? {} : { memory: place };
    if (of.unit === 1) {
      const byte = bytes[0] ?? 0;
      rows.push({
        name: `[${name}]`,
        value: `0x${byte.toString(16).padStart(2, '0')} (${byte})`,
        type: 'u8',
        evaluateName: byteExpression(addr),
        ...common,
      });
    } else {
      rows.push({
        name: `[${name} … ${name + size - 1}]`,
        value: `${shortHex(bytes)}  ${asciiText(bytes)}`,
        type: `u8[${size}]`,
        children: { kind: 'memory', addr, size, unit: 1, from: name },
        indexed: size,
        readOnly: true,
        ...common,
      });
    }
  }
  return rows;
}

function asciiText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
}
