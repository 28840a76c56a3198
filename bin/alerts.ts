import { Command } from 'commander';
import { channelOf } from '#alerts/index.ts';
import { sampleMessage } from '#alerts/sample-message.ts';
import { sendMessage } from '#workers/send-message.ts';
import { atDesk, byOption, given } from './at-desk.ts';
import { readConfig } from './config-source.ts';
import { readSettings } from './environment.ts';
import { ExpectedError } from './expected-error.ts';

export function alertsCommand(): Command {
	const command = new Command('alerts').description('what on-call is told: test a channel, look, acknowledge, send dead letters again');
	command
		.command('test')
		.argument('<channel>', 'its name in the configuration')
		.description('send one message, and print what the service answered')
		.action(testChannel);
	command
		.command('list')
		.description('open alerts, what waits and why, dead letters')
		.action(() => atDesk((desk) => desk.alerts()));
	command
		.command('acknowledge')
		.argument('<id>', 'of an incident or alert')
		.description('somebody has it: no reminder and no escalation until it opens again')
		.option('--comment <text>')
		.addOption(byOption())
		.action((id: string, options: { by: string; comment?: string }) => atDesk((desk) => desk.acknowledge(id, given(options))));
	for (const [name, description] of [
		['replay', 'send dead letters again, with their own ids'],
		['discard', 'put dead letters aside'],
	] as const) {
		command
			.command(name)
			.argument('[delivery...]', 'numbers, as `alerts list` gives them (default: all)')
			.description(description)
			.option('--channel <name>', 'only of this channel')
			.action((numbers: string[], options: { channel?: string }) => {
				const deliveries = numbers.length === 0 ? undefined : numbers.map(Number);
				return atDesk((desk) => desk[name](given({ deliveries, ...options })));
			});
	}
	return command;
}

async function testChannel(name: string): Promise<void> {
	const { alerts } = await readConfig({ ...readSettings(), configNamed: true });
	const settings = alerts.channels[name];
	if (settings === undefined)
		throw new ExpectedError(`expected one of the channels ${Object.keys(alerts.channels).join(', ') || '(none is defined)'}, got "${name}"`, 2);
	const now = Date.now();
	const tools = { now: Date.now, readSecret: (envName: string) => process.env[envName] };
	const endpoints = channelOf(settings).endpoints(settings);
	for (const [i, endpoint] of endpoints.entries()) {
		const outcome = await sendMessage(tools, settings, sampleMessage(now), { id: `test-${now}`, sequence: 1, endpoint });
		const where = endpoints.length > 1 ? ` (endpoint ${i + 1} of ${endpoints.length})` : '';
		if (outcome.kind === 'failed') throw new ExpectedError(`channel "${name}"${where} did not take it: ${outcome.message}`);
		console.log(`channel "${name}"${where} took it.`);
	}
}
