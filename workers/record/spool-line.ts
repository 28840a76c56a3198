import { crc32 } from 'node:zlib';
import type { ProbeResult } from '#core/probe-result.ts';

/** One record of the spool: checksum, JSON, end of line. A cut or bent line never passes for a record. */
export function encodeLine(result: ProbeResult): string {
	const json = JSON.stringify(result);
	return `${checksum(json)} ${json}\n`;
}

export interface DecodedSpool {
	readonly results: readonly ProbeResult[];
	/** Lines that are whole and yet wrong: the disk, or somebody's hand. */
	readonly damaged: readonly string[];
	/** The last line was cut off: its write was never acknowledged. */
	readonly torn: boolean;
}

export function decodeLines(text: string): DecodedSpool {
	const lines = text.split('\n');
	const tail = lines.pop() ?? '';
	const results: ProbeResult[] = [];
	const damaged: string[] = [];
	for (const line of lines) {
		const json = line.slice(9);
		if (line[8] === ' ' && line.slice(0, 8) === checksum(json)) results.push(JSON.parse(json) as ProbeResult);
		else damaged.push(line);
	}
	return { results, damaged, torn: tail !== '' };
}

function checksum(json: string): string {
	return crc32(json).toString(16).padStart(8, '0');
}
