import * as vscode from 'vscode';
import type { BuiltinPacketInfo, CaptureReply } from '#core/protocol/language.ts';
import { messageOf } from '../error-message.ts';
import type { LanguageService } from '../language-service.ts';
import { type CaptureFile, findCaptures, MAX_CAPTURE_BYTES } from './captures.ts';
import { describeChoice, type PacketChoice, readHex } from './packet-choice.ts';

/** Packets of one capture that the first list shows; the rest is behind "Several packets…". */
const LISTED_PACKETS = 100;

interface Item extends vscode.QuickPickItem {
  /** What choosing the row leads to; undefined for separators. */
  readonly choose?: () => Promise<PacketChoice | undefined> | PacketChoice;
}

/** What the packet picker is opened for. */
export interface PickerOptions {
  readonly program: vscode.Uri;
  /** Offered first and selected, so that Enter repeats it. */
  readonly last: PacketChoice | undefined;
}

/** Asks which packets the program shall get. Undefined: the person pressed Escape. */
export async function pickPackets(
  language: LanguageService,
  options: PickerOptions,
): Promise<PacketChoice | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = 'Packet for the Program';
  pick.placeholder = 'Choose a captured packet, a built-in one, or type bytes';
  pick.matchOnDescription = true;
  pick.busy = true;
  const accepted = acceptedItem(pick);
  pick.show();
  const items = loadItems(language, options).then(
    (loaded) => {
      pick.items = loaded;
      pick.busy = false;
    },
    (error: unknown) => {
      pick.hide();
      void vscode.window.showErrorMessage(`The packets could not be listed: ${messageOf(error)}`);
    },
  );
  const [item] = await Promise.all([accepted, items]);
  return item?.choose?.();
}

async function loadItems(language: LanguageService, { program, last }: PickerOptions): Promise<Item[]> {
  const [builtins, captures] = await Promise.all([language.builtins(), findCaptures(program)]);
  const groups = await Promise.all(captures.map((file) => captureItems(language, file)));
  return [
    ...(last ? [separator('Last Choice'), lastItem(last, builtins)] : []),
    ...groups.flat(),
    separator('Built-in Packets'),
    ...builtins.map((packet) => ({
      label: `$(package) ${packet.title}`,
      description: `${packet.hex.length / 2} bytes`,
      choose: (): PacketChoice => ({ kind: 'builtin', name: packet.name }),
    })),
    separator('Other'),
    {
      label: '$(edit) Hex Bytes…',
      description: 'type or paste the packet',
      choose: () => askHex(last?.kind === 'hex' ? last.hex : ''),
    },
  ];
}

function lastItem(last: PacketChoice, builtins: readonly BuiltinPacketInfo[]): Item {
  return { label: `$(history) ${describeChoice(last, builtins)}`, choose: () => last };
}

async function captureItems(language: LanguageService, file: CaptureFile): Promise<Item[]> {
  const heading = separator(file.label);
  if (file.size > MAX_CAPTURE_BYTES) {
    const limit = MAX_CAPTURE_BYTES >> 20;
    return [
      heading,
      {
        label: '$(warning) Too large to list',
        description: `more than ${limit} MiB: name it in launch.json`,
      },
    ];
  }
  if (!file.eager) {
    return [
      heading,
      {
        label: '$(list-selection) Choose Packets…',
        description: sizeText(file.size),
        choose: () => pickSeveral(language, file),
      },
    ];
  }
  const reply = await readPackets(language, file);
  if (typeof reply === 'string') return [heading, { label: '$(warning) Not readable', description: reply }];
  const path = file.uri.fsPath;
  const rows = reply.packets.slice(0, LISTED_PACKETS).map((packet) => ({
    label: `$(mail) ${packet.summary}`,
    description: `packet ${packet.index}`,
    choose: (): PacketChoice => ({ kind: 'capture', path, packet: packet.index }),
  }));
  return [heading, ...damage(reply), ...rows, ...wholeCapture(language, file, reply)];
}

/** The rows for more than one packet; none where there is nothing to choose from. */
function wholeCapture(language: LanguageService, file: CaptureFile, reply: CaptureReply): Item[] {
  if (reply.total < 2) return [];
  return [
    {
      label: `$(list-ordered) All ${reply.total} Packets`,
      description: 'one after the other',
      choose: (): PacketChoice => ({ kind: 'capture', path: file.uri.fsPath, packet: 'all' }),
    },
    { label: '$(checklist) Several Packets…', choose: () => pickSeveral(language, file) },
  ];
}

/** The second list: packets with check boxes. */
async function pickSeveral(language: LanguageService, file: CaptureFile): Promise<PacketChoice | undefined> {
  const reply = await readPackets(language, file);
  if (typeof reply === 'string') {
    void vscode.window.showErrorMessage(`${file.label}: ${reply}`);
    return undefined;
  }
  const more =
    reply.total > reply.packets.length ? ` (the first ${reply.packets.length} of ${reply.total})` : '';
  const chosen = await vscode.window.showQuickPick(
    reply.packets.map((packet) => ({
      label: packet.summary,
      description: `packet ${packet.index}`,
      index: packet.index,
    })),
    {
      canPickMany: true,
      matchOnDescription: true,
      title: `Packets of ${file.label}${more}`,
      placeHolder: reply.message ?? 'The program runs once for each packet that is checked',
    },
  );
  if (!chosen || chosen.length === 0) return undefined;
  const packets = chosen.map((each) => each.index).sort((a, b) => a - b);
  const all = packets.length === reply.total;
  const [only] = packets;
  const packet = all ? 'all' : packets.length === 1 && only !== undefined ? only : packets;
  return { kind: 'capture', path: file.uri.fsPath, packet };
}

async function askHex(value: string): Promise<PacketChoice | undefined> {
  const text = await vscode.window.showInputBox({
    title: 'Packet in Hex',
    prompt:
      'Bytes from the first one on (for Ethernet: the destination address). Blanks, colons and 0x are ignored.',
    placeHolder: '52 54 00 12 34 56 …',
    value,
    validateInput: (input) => {
      const read = readHex(input);
      return 'error' in read && input !== '' ? read.error : undefined;
    },
  });
  if (text === undefined) return undefined;
  const read = readHex(text);
  return 'hex' in read ? { kind: 'hex', hex: read.hex } : undefined;
}

/** The packets, or a sentence that says why they cannot be had. */
async function readPackets(language: LanguageService, file: CaptureFile): Promise<CaptureReply | string> {
  try {
    const reply = await language.capture(await vscode.workspace.fs.readFile(file.uri));
    return reply.total === 0 ? (reply.message ?? 'no packets in it') : reply;
  } catch (error) {
    return messageOf(error);
  }
}

function damage(reply: CaptureReply): Item[] {
  return reply.message === undefined ? [] : [{ label: '$(warning) Damaged', description: reply.message }];
}

/** The row that was taken; undefined when the list was closed. Rows that lead nowhere are not taken. */
function acceptedItem(pick: vscode.QuickPick<Item>): Promise<Item | undefined> {
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (!item?.choose) return;
      resolve(item);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
  });
}

function separator(label: string): Item {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function sizeText(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
