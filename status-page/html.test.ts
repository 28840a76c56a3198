import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeHtml, html, renderHtml, trusted } from './html.ts';

test('every value is escaped unless the code itself wrote it as markup', () => {
	const hostile = '<script>alert("x")</script>';
	expect(renderHtml(html`<b title="${hostile}">${hostile}</b>`)).not.toContain('<script');
	expect(renderHtml(html`<b>${trusted('<i>ok</i>')}</b>`)).toBe('<b><i>ok</i></b>');
	expect(renderHtml(html`<ul>${['<a>', html`<li>`]}</ul>`)).toBe('<ul>&lt;a&gt;<li></ul>');
});

test('null and false render nothing, zero renders', () => {
	expect(renderHtml(html`${null}${false}${0}`)).toBe('0');
});

test('an object that looks like markup is not taken for it', () => {
	const fake = JSON.parse('{"markup":"<script>"}');
	expect(() => renderHtml(html`${fake}`)).toThrow();
});

test('escaped text holds no character that ends text or a quoted attribute, and keeps every other one', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary' }), (text) => {
			const escaped = escapeHtml(text);
			expect(escaped).not.toMatch(/[<>"']/);
			expect(escaped.isWellFormed()).toBe(true);
			const back = escaped.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name] ?? '');
			// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
			expect(back).toBe(text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd'));
		}),
	);
});
