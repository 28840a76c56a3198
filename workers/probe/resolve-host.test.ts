import { describe, expect, test } from 'vitest';
import { parseHostsFile, resolveHost } from './resolve-host.ts';

describe('the hosts file', () => {
	test('maps every name of a line, without comments, in any case', () => {
		const hosts = parseHostsFile('127.0.0.1 localhost Local # loopback\n\n# 10.0.0.1 off\n::1\tlocalhost\n10.0.0.7 db.internal db\nnot-an-address x\n');
		expect(Object.fromEntries(hosts)).toEqual({ localhost: ['127.0.0.1', '::1'], local: ['127.0.0.1'], 'db.internal': ['10.0.0.7'], db: ['10.0.0.7'] });
	});
});

describe('what needs no name server', () => {
	test.each([
		['127.0.0.1', '127.0.0.1'],
		['[::1]', '::1'],
		['anything.localhost', '127.0.0.1'],
	])('%s is %s, and has no DNS phase', async (host, address) => {
		const { addresses, asked } = await resolveHost(host);
		expect(addresses[0]).toBe(address);
		expect(asked).toBe(false);
	});
});
