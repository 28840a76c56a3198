/**
 * The part of JSON Schema (2020-12) that a canary's expectation needs, without a package and without compiling code. A keyword outside it is
 * refused by `findSchemaFault` when the file is read: a rule that is silently not checked would call wrong answers right.
 */
import { isRecord } from './error-body.ts';

export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

const typeNames = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'] as const;
const annotations = new Set(['$schema', '$id', '$comment', 'title', 'description', 'default', 'examples']);
const counts = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'];
const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'];
const lists = ['anyOf', 'allOf', 'oneOf'];

/** Deeper than any expectation by hand; keeps the walk's stack small. */
const deepest = 32;

/** What is wrong with a schema, with its place inside; null when every rule in it can be checked. */
export function findSchemaFault(schema: unknown, at = '', depth = 0): string | null {
	if (typeof schema === 'boolean') return null;
	const here = at === '' ? 'the schema' : at;
	if (!isRecord(schema)) return `${here}: expected a mapping, true or false`;
	if (depth > deepest) return `${here}: expected at most ${deepest} levels`;
	for (const [key, value] of Object.entries(schema)) {
		const fault = findKeywordFault(key, value, at === '' ? key : `${at}.${key}`, depth + 1);
		if (fault !== null) return fault;
	}
	return null;
}

function findKeywordFault(key: string, value: unknown, at: string, depth: number): string | null {
	if (annotations.has(key) || key === 'const') return null;
	if (key === 'type') {
		const known = (name: unknown) => typeNames.some((type) => type === name);
		const sound = Array.isArray(value) ? value.length > 0 && value.every(known) : known(value);
		return sound ? null : `${at}: expected one of ${typeNames.join(', ')}`;
	}
	if (key === 'enum') return Array.isArray(value) && value.length > 0 ? null : `${at}: expected a list of values`;
	if (key === 'required') return Array.isArray(value) && value.every((name) => typeof name === 'string') ? null : `${at}: expected a list of names`;
	if (key === 'uniqueItems') return typeof value === 'boolean' ? null : `${at}: expected true or false`;
	if (counts.includes(key)) return Number.isSafeInteger(value) && (value as number) >= 0 ? null : `${at}: expected a number of 0 or more`;
	if (bounds.includes(key)) return typeof value === 'number' && Number.isFinite(value) ? null : `${at}: expected a number`;
	if (key === 'pattern') return isPattern(value) ? null : `${at}: expected a regular expression`;
	if (key === 'properties') {
		if (!isRecord(value)) return `${at}: expected a mapping from names to schemas`;
		return firstFault(Object.entries(value), at, depth);
	}
	if (lists.includes(key)) {
		if (!Array.isArray(value) || value.length === 0) return `${at}: expected a list of schemas`;
		return firstFault(Object.entries(value), at, depth);
	}
	if (key === 'items' || key === 'not' || key === 'additionalProperties') return findSchemaFault(value, at, depth);
	return `${at}: a keyword that is not checked here; known: type, enum, const, properties, required, additionalProperties, items, ${[...counts, ...bounds, ...lists].join(', ')}, uniqueItems, pattern, not`;
}

function firstFault(entries: readonly (readonly [string, unknown])[], at: string, depth: number): string | null {
	for (const [name, inner] of entries) {
		const fault = findSchemaFault(inner, `${at}.${name}`, depth);
		if (fault !== null) return fault;
	}
	return null;
}

function isPattern(value: unknown): boolean {
	if (typeof value !== 'string') return false;
	try {
		new RegExp(value, 'u');
		return true;
	} catch {
		return false;
	}
}

/** Whether a JSON value is as the schema says. The schema must have passed `findSchemaFault`. */
export function matchesSchema(schema: unknown, value: unknown): boolean {
	if (typeof schema === 'boolean') return schema;
	if (!isRecord(schema)) return false;
	if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(type, value))) return false;
	if (Array.isArray(schema.enum) && !schema.enum.some((one) => sameJson(one, value))) return false;
	if (Object.hasOwn(schema, 'const') && !sameJson(schema.const, value)) return false;
	if (Array.isArray(schema.allOf) && !schema.allOf.every((inner) => matchesSchema(inner, value))) return false;
	if (Array.isArray(schema.anyOf) && !schema.anyOf.some((inner) => matchesSchema(inner, value))) return false;
	if (Array.isArray(schema.oneOf) && schema.oneOf.filter((inner) => matchesSchema(inner, value)).length !== 1) return false;
	if (schema.not !== undefined && matchesSchema(schema.not, value)) return false;
	if (typeof value === 'number') return isWithin(schema, value);
	if (typeof value === 'string') {
		// Characters, not UTF-16 units: that is what the specification counts.
		if (!hasCount(schema, [...value].length, 'Length')) return false;
		return typeof schema.pattern !== 'string' || new RegExp(schema.pattern, 'u').test(value);
	}
	if (Array.isArray(value)) return areItemsRight(schema, value);
	return !isRecord(value) || arePropertiesRight(schema, value);
}

type Keywords = Readonly<Record<string, unknown>>;

function isOfType(type: unknown, value: unknown): boolean {
	switch (type) {
		case 'null':
			return value === null;
		case 'integer':
			return Number.isInteger(value);
		case 'array':
			return Array.isArray(value);
		case 'object':
			return isRecord(value);
		default:
			return typeof value === type;
	}
}

function isWithin(schema: Keywords, value: number): boolean {
	const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Readonly<Record<string, number | undefined>>;
	return !(
		(minimum !== undefined && value < minimum) ||
		(maximum !== undefined && value > maximum) ||
		(exclusiveMinimum !== undefined && value <= exclusiveMinimum) ||
		(exclusiveMaximum !== undefined && value >= exclusiveMaximum)
	);
}

function hasCount(schema: Keywords, count: number, of: 'Length' | 'Items' | 'Properties'): boolean {
	const [least, most] = [schema[`min${of}`], schema[`max${of}`]];
	return !((typeof least === 'number' && count < least) || (typeof most === 'number' && count > most));
}

function areItemsRight(schema: Keywords, items: readonly unknown[]): boolean {
	if (!hasCount(schema, items.length, 'Items')) return false;
	if (schema.uniqueItems === true && items.some((item, i) => items.slice(0, i).some((other) => sameJson(item, other)))) return false;
	return schema.items === undefined || items.every((item) => matchesSchema(schema.items, item));
}

function arePropertiesRight(schema: Keywords, value: Keywords): boolean {
	const names = Object.keys(value);
	if (!hasCount(schema, names.length, 'Properties')) return false;
	if (Array.isArray(schema.required) && !schema.required.every((name) => Object.hasOwn(value, String(name)))) return false;
	const properties = isRecord(schema.properties) ? schema.properties : {};
	return names.every((name) => {
		if (Object.hasOwn(properties, name)) return matchesSchema(properties[name], value[name]);
		return schema.additionalProperties === undefined || matchesSchema(schema.additionalProperties, value[name]);
	});
}

/** Equal as JSON: the order of keys does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
	if (!isRecord(a) || !isRecord(b)) return false;
	const names = Object.keys(a);
	return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]));
}
