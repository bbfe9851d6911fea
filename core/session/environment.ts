import { UAPI_CONSTANTS, uapiConstant } from '../isa/constants.ts';
import { decodeInsn } from '../isa/decode.ts';
import { accessProblem } from '../vm/access-fault.ts';
import type { BpfMap } from '../vm/map.ts';
import { expressionCells } from './classic.ts';
import type { ExprEnv, ExprMap } from './expression/value.ts';
import { type DebugFrame, debugFrames, type Loaded } from './loaded.ts';
import { nativeNames, nativeValue } from './native/native-scope.ts';

/** Names of addresses that expressions know beside registers. */
const ADDRESS_NAMES = ['packet', 'packet_end', 'ctx'] as const;

/**
 * The environment of expressions in one frame (0: innermost) of a loaded session. Frames are looked up
 * when they are needed, so that one environment serves a whole run.
 */
export function expressionEnv(loaded: Loaded, frameIndex: () => number): ExprEnv {
  const { machine, cpu } = loaded;
  const { space } = machine;
  const outer = (): DebugFrame | undefined => {
    const index = frameIndex();
    return index === 0 ? undefined : debugFrames(loaded)[index];
  };
  const current = (): DebugFrame | undefined => debugFrames(loaded)[frameIndex()];
  return {
    readRegister(reg) {
      const frame = outer();
      return frame === undefined ? cpu.readReg(reg) : frame.view.reg(reg);
    },
    showsAx: () => loaded.sight.rewritten,
    writeRegister(reg, value) {
      if (reg === 10) return 'r10 is the frame pointer and cannot be written';
      if (reg === 11) return 'ax is the hidden temporary of rewritten programs and cannot be written';
      if (outer() !== undefined) return 'only registers of the innermost frame can be written';
      cpu.writeReg(reg, value);
      return undefined;
    },
    currentInsn() {
      const frame = current();
      if (frame === undefined || (frame.pc + 1) * 8 > frame.program.attr.insns.length) return undefined;
      const { insn, imm64 } = decodeInsn(frame.program.attr.insns, frame.pc);
      return { dst: insn.dst, src: insn.src, off: insn.off, imm: imm64 ?? BigInt(insn.imm) };
    },
    readMemory: (addr, size) => space.read(addr, size),
    writeMemory: (addr, bytes) => space.write(addr, bytes),
    explainMemory: (addr, size) => accessProblem(space, addr, size, 'read')?.message ?? 'not accessible',
    constant: (name) => loaded.constants.get(name) ?? uapiConstant(name)?.value,
    map(name) {
      const map = loaded.maps.get(name);
      return map === undefined ? undefined : exprMap(map, cpu.index);
    },
    nativeValue: (name) => nativeValue(loaded, frameIndex(), name),
    cells: () => expressionCells(loaded),
    address(name) {
      const packet = cpu.current?.packet;
      if (name === 'packet' && packet !== undefined) return packet.addr + BigInt(packet.origin);
      if (name === 'packet_end' && packet !== undefined) return packet.addr + BigInt(packet.size);
      if (name === 'ctx') return cpu.current?.ctx?.addr;
      return undefined;
    },
    *names() {
      for (let n = 0; n <= 10; n++) yield `r${n}`;
      for (let n = 0; n <= 9; n++) yield `w${n}`;
      if (loaded.classic !== undefined) yield* ['A', 'X', 'M'];
      for (const name of nativeNames(loaded)) yield `$${name}`;
      yield* loaded.maps.keys();
      yield* loaded.constants.keys();
      yield* ADDRESS_NAMES;
      for (const constant of UAPI_CONSTANTS) yield constant.name;
    },
  };
}

function exprMap(map: BpfMap, cpu: number): ExprMap {
  return {
    id: map.id,
    name: map.def.name,
    keySize: map.def.keySize,
    valueSize: map.def.valueSize,
    valueAddr: (key) => map.valueAddr(key, cpu),
  };
}
