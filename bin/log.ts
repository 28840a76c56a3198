import pino from 'pino';
import type { Log } from '#core/log.ts';
import type { Settings } from './environment.ts';

/** JSON lines on stdout: a constant message, facts in fields. Fields that could hold a secret are masked, whoever logs them. */
export function openLog(settings: Pick<Settings, 'logLevel'>, role: string): Log {
	return pino({
		level: settings.logLevel,
		base: { role },
		timestamp: pino.stdTimeFunctions.isoTime,
		formatters: { level: (label) => ({ level: label }) },
		redact: { paths: ['apiKey', 'authorization', 'token', 'secret', 'url', '*.apiKey', '*.authorization', '*.token', '*.secret'], censor: '[masked]' },
	});
}
