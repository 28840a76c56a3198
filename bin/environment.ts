/** The environment, read once. */
import { resolve } from 'node:path';
import { ExpectedError } from './expected-error.ts';

export interface Settings {
	/** Null: the embedded Postgres. */
	readonly databaseUrl: string | null;
	/** Null: BullMQ on Postgres. */
	readonly redisUrl: string | null;
	readonly configPath: string;
	/** The path was asked for by name, so it must exist. */
	readonly configNamed: boolean;
	readonly dataDir: string;
	readonly vantage: string;
	readonly adminToken: string | null;
	readonly host: string;
	readonly port: number;
	readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** @throws ExpectedError that names every variable at fault */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
	const faults: string[] = [];
	const url = (name: string, protocols: string[]) => {
		const text = env[name];
		if (!text) return null;
		// A URL may hold a password: it is never printed.
		if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol))
			faults.push(`${name}: expected a ${protocols.join(' or ')}// URL, got something else`);
		return text;
	};
	const port = env.PORT ? Number(env.PORT) : 8080;
	if (!Number.isInteger(port) || port < 0 || port > 65_535) faults.push(`PORT: expected a number from 0 to 65535, got "${env.PORT}"`);
	const vantage = env.LINNET_VANTAGE || 'local';
	if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(vantage)) faults.push(`LINNET_VANTAGE: expected a short name of a-z, 0-9 and "-", got "${vantage}"`);
	const logLevel = levels.find((level) => level === (env.LOG_LEVEL || 'info'));
	if (logLevel === undefined) faults.push(`LOG_LEVEL: expected ${levels.join(', ')}, got "${env.LOG_LEVEL}"`);
	const settings: Settings = {
		databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
		redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
		configPath: resolve(env.LINNET_CONFIG || 'linnet.yaml'),
		configNamed: Boolean(env.LINNET_CONFIG),
		dataDir: resolve(env.LINNET_DATA || '.linnet'),
		vantage,
		adminToken: env.LINNET_ADMIN_TOKEN || null,
		host: env.HOST || '127.0.0.1',
		port,
		logLevel: logLevel ?? 'info',
	};
	if (faults.length > 0)
		throw new ExpectedError(
			`the environment has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
			2,
		);
	return settings;
}
