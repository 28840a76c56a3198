import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from './environment.ts';

/** Without a configuration `up` runs the demo, whose record is kept apart: a command beside it means that one. */
export function recordOf(settings: Settings): Settings {
	const isDemo = settings.databaseUrl === null && !settings.configNamed && !existsSync(settings.configPath);
	return isDemo ? { ...settings, dataDir: join(settings.dataDir, 'demo') } : settings;
}
