import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { printX86 } from '#core/jit/x86-64/print.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { nativeBacktrace, nativeRegisters, nextInsn, patchSites } from '#core/x86-sim/view.ts';
import { X86Sim } from '#core/x86-sim/x86-sim.ts';
import { attrOf, start } from './start.ts';

const CALLS = `
	.section "xdp", "ax"
	.globl	main
	.type	main, @function
main:
	r6 = 7
	r1 = 1
	call inner
	r0 += r6
	exit
	.type	inner, @function
inner:
	r6 = r1
	r6 += 40
	r0 = r6
	exit
`;

test('one native instruction a step, through calls and back, with frames by return address', () => {
  const engine = new X86Sim();
  const { machine } = start(engine, attrOf(CALLS));
  const rows: string[] = [];
  for (let i = 0; i < 100; i++) {
    const n = engine.at(machine, 0);
    const insn = n && nextInsn(n);
    if (n === undefined || insn === undefined) throw new Error('no machine code');
    const { rip } = nativeRegisters(n);
    const frames = nativeBacktrace(n).map(({ name, slot }) => `${name}:${slot}`);
    const text = printX86(insn, { addr: rip, target: () => 'there' });
    rows.push(`${frames.join(' < ')}  ${text}  pc ${machine.cpu(0).pc}`);
    if (engine.step(machine, 0)?.kind === 'exit') break;
  }
  expect(machine.cpu(0).readReg(0)).toBe(48n);
  expect(machine.cpu(0).insnsExecuted).toBe(9n);
  expect(rows).toMatchInlineSnapshot(`
    [
      "main:0  nop dword ptr [rax+rax]  pc 0",
      "main:0  nop dword ptr [rax]  pc 0",
      "main:0  push rbp  pc 0",
      "main:0  mov rbp, rsp  pc 0",
      "main:0  push rbx  pc 0",
      "main:0  mov ebx, 0x7  pc 0",
      "main:1  mov edi, 0x1  pc 1",
      "main:2  call there  pc 2",
      "inner:5 < main:2  nop dword ptr [rax+rax]  pc 5",
      "inner:5 < main:2  nop dword ptr [rax]  pc 5",
      "inner:5 < main:2  push rbp  pc 5",
      "inner:5 < main:2  mov rbp, rsp  pc 5",
      "inner:5 < main:2  push rbx  pc 5",
      "inner:5 < main:2  mov rbx, rdi  pc 5",
      "inner:6 < main:2  add rbx, 0x28  pc 6",
      "inner:7 < main:2  mov rax, rbx  pc 7",
      "inner:8 < main:2  pop rbx  pc 8",
      "inner:8 < main:2  leave  pc 8",
      "inner:8 < main:2  jmp there  pc 8",
      "main:3  add rax, rbx  pc 3",
      "main:4  pop rbx  pc 4",
      "main:4  leave  pc 4",
      "main:4  jmp there  pc 4",
    ]
  `);
});

test('a run goes on from the middle of an instruction, and the other engines from between two', () => {
  const engine = new X86Sim();
  for (let steps = 1; steps < 30; steps++) {
    const { machine } = start(engine, attrOf(CALLS));
    let ended = false;
    for (let i = 0; i < steps && !ended; i++) ended = engine.step(machine, 0)?.kind === 'exit';
    if (ended) break;
    const limits = { budget: 1, breakpoints: false, resume: true };
    const stop = engine.run(machine, 0, limits);
    const last = stop.kind === 'exit' ? stop : reference.run(machine, 0, { ...limits, budget: 100 });
    expect(last.kind).toBe('exit');
    expect([machine.cpu(0).readReg(0), machine.cpu(0).insnsExecuted]).toEqual([48n, 9n]);
  }
});

test('a program loaded with the compiler is executed where its line addresses say', () => {
  const engine = new X86Sim();
  const attr = attrOf(CALLS);
  const { machine, prog, text } = start(engine, attr, (on) => ({ jit: engine.text(on).compiler(attr) }));
  expect(prog.jited).toBe(true);
  const lines = jitedLinfo(machine, prog) ?? [];
  expect(lines[0]).toBe(text.of(prog)?.main.code.addr);
  const seen = new Set<bigint>();
  for (let i = 0; i < 100; i++) {
    const n = engine.at(machine, 0);
    if (n !== undefined) seen.add(nativeRegisters(n).rip);
    if (engine.step(machine, 0)?.kind === 'exit') break;
  }
  expect(lines.filter((addr) => !seen.has(addr))).toEqual([]);
});

test('programs of a machine do not overlap, and each has its patch sites', () => {
  const engine = new X86Sim();
  const { machine, prog, text } = start(engine, attrOf(CALLS));
  const other = bpfProgLoad(machine, attrOf(CALLS));
  if (!other.ok) throw new Error(other.refusal.message);
  const funcs = [prog, other.prog].flatMap((each) => text.of(each)?.funcs ?? []);
  expect(funcs).toHaveLength(4);
  for (const func of funcs) {
    expect(text.funcAt(func.code.addr)).toBe(func);
    expect(text.funcAt(func.code.addr + BigInt(func.code.image.length - 1))).toBe(func);
    expect(patchSites(func)).toMatchObject([{ offset: 0, length: 5, kind: 'entry', patched: false }]);
  }
});

test('what the JIT refuses is interpreted', () => {
  const engine = new X86Sim();
  const { machine, prog, text } = start(engine, attrOf(CALLS));
  const far = new X86Sim({ ...text.config, returnThunk: 0x10_0000_0000n });
  expect(far.text(machine).of(prog)).toBeUndefined();
  expect(far.step(machine, 0)).toBeUndefined();
  expect(far.run(machine, 0, { budget: 100, breakpoints: false, resume: true }).kind).toBe('exit');
  expect(machine.cpu(0).readReg(0)).toBe(48n);
});

test('flags are those of the last comparison', () => {
  const engine = new X86Sim();
  const text = CALLS.replace('r6 += 40', 'if r6 s> 5 goto +0\n\tr6 += 40');
  const { machine } = start(engine, attrOf(text));
  const flags: string[] = [];
  for (let i = 0; i < 100; i++) {
    const before = engine.at(machine, 0);
    const id = before && nextInsn(before)?.form.row.id;
    const stop = engine.step(machine, 0);
    const after = engine.at(machine, 0);
    if (id === 'cmp_rm64_imm8' && after !== undefined) flags.push(nativeRegisters(after).flags.join(' '));
    if (stop?.kind === 'exit') break;
  }
  expect(flags).toEqual(['SF CF']);
});
