/** What the shapes of the answers have in common. */
import { z } from 'zod';
import { states } from '#core/state.ts';

export const instant = z.iso.datetime().describe('ISO 8601, UTC');
export const share = z.number().min(0).max(1);
export const count = z.int().min(0);
export const ms = z.number().min(0).describe('milliseconds');
export const stateSchema = z.enum(states);

export const availabilitySchema = z
	.strictObject({ good: count, bad: count, excluded: count, ratio: share.nullable(), low: share.nullable(), high: share.nullable() })
	.describe('good / (good + bad) with its 95 % Wilson interval; null without data');

export const made = { snapshot: count, generatedAt: instant, simulated: z.boolean().describe('true: the providers are a simulator') };
