import { expect, test } from 'vitest';
import { hideInJson } from '#core/redact.ts';
import { secretsIn } from './known-secrets.ts';

const file = `providers: [{ use: groq }, { id: own, "apiKeyEnv":"MINE", models: [] }]
alerts: { channels: { hook: { type: slack, urlEnv: HOOK }, pair: { userEnv: 'WHO' } } }
`;

test.each([
	['a key that the file names', { MINE: 'quiet-otter-hums' }, ['quiet-otter-hums']],
	['a key of the catalogue', { GROQ_API_KEY: 'quiet-otter-hums' }, ['quiet-otter-hums']],
	['a variable that sounds like one, where there is no file', { LINNET_ADMIN_TOKEN: 'quiet-otter-hums' }, ['quiet-otter-hums']],
	['the parts of a pair', { MINE: 'QuietOtter:HumsLowTide' }, ['QuietOtter:HumsLowTide', 'HumsLowTide', 'QuietOtter']],
	[
		'the long part of an address, and the address',
		{ HOOK: 'https://hooks.example.org/services/QuietOtterHumsLowTide' },
		['https://hooks.example.org/services/QuietOtterHumsLowTide', 'QuietOtterHumsLowTide'],
	],
	['the password of Postgres', { DATABASE_URL: 'postgres://me:quiet%2Dotter@db:5432/linnet' }, ['postgres://me:quiet%2Dotter@db:5432/linnet', 'quiet-otter']],
	['no address without a secret', { DATABASE_URL: 'postgres://me@db:5432/linnet', HOOK: 'https://example.org/hook' }, []],
	['nothing that is short', { MINE: 'demo', WHO: 'otter' }, []],
	['nothing that nobody names', { HOSTNAME: 'quiet-otter-hums', PATH: '/usr/local/sbin:/usr/local/bin' }, []],
])('%s', (_, env, secrets) => {
	expect(secretsIn(env, file)).toEqual(secrets);
});

test('it is hidden in every text of a value, in the names of its fields too, and nothing else is changed', () => {
	const secret = 'Quiet/Otter+Hums';
	const value = { [secret]: [1, null, true, { at: `before ${encodeURIComponent(secret)} after`, of: 'Quiet Otter' }] };
	expect(hideInJson(value, [secret])).toEqual({ '[redacted]': [1, null, true, { at: 'before [redacted] after', of: 'Quiet Otter' }] });
	expect(hideInJson(undefined, [secret])).toBeUndefined();
});
