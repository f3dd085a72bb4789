import { expect, it } from 'vitest';
import { splitWords } from './words.ts';

it.each([
  ['pass show backup', ['pass', 'show', 'backup']],
  ['  pass\tshow\nbackup  ', ['pass', 'show', 'backup']],
  [`cat "my file" 'and "this"'`, ['cat', 'my file', 'and "this"']],
  [`echo a"b c"d'e f'g`, ['echo', 'ab cde fg']],
  [`echo "" ''`, ['echo', '', '']],
  [String.raw`echo a\ b \"c\" \\`, ['echo', 'a b', '"c"', '\\']],
  [String.raw`echo "a\"b\\c\d"`, ['echo', 'a"b\\c\\d']],
  [String.raw`echo 'a\b'`, ['echo', 'a\\b']],
  ['echo $HOME *.txt `id` ;', ['echo', '$HOME', '*.txt', '`id`', ';']],
])('splits %s', (text, words) => {
  expect(splitWords(text, 'here')).toEqual(words);
});

it.each([
  ['echo "a', 'here: the command cannot be split into words: a quote (") is not closed'],
  [`geheim 'a`, `here: the command cannot be split into words: a quote (') is not closed`],
  ['', 'here: the command cannot be split into words: there is no program in it'],
  ['   ', 'here: the command cannot be split into words: there is no program in it'],
  [`''`, 'here: the command cannot be split into words: there is no program in it'],
])('refuses %s without showing it', (text, message) => {
  expect(() => splitWords(text, 'here')).toThrow(message);
});
