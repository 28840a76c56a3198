import { expect, it } from 'vitest';
import { parseIncident } from './parse-incident.ts';

it('what is left out is all, a major outage of the provider’s', () => {
	expect(parseIncident('provider=groq')).toEqual({
		scope: { provider: 'groq', model: null, operation: null, vantage: null },
		impact: 'major',
		cause: 'provider',
	});
	expect(parseIncident('model=a/b, impact=minor,cause=monitor')).toEqual({
		scope: { provider: null, model: 'a/b', operation: 'chat', vantage: null },
		impact: 'minor',
		cause: 'monitor',
	});
});

it.each(['provider', 'colour=red', 'impact=huge', ''])('"%s" is refused with what was expected', (text) => {
	expect(() => parseIncident(text)).toThrow(/--incident: expected/);
});
