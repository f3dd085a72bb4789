/**
 * Polynomials over GF(2), bit i of a bigint being the coefficient of x^i: the parameter of a repository's chunker.
 */
import { randomBytes } from 'node:crypto';

/** Prime, so that irreducibility needs one comparison and one gcd; and below 64 - 8, for 64-bit registers. */
const DEGREE = 53;

/** Whether the polynomial is of the degree that the chunker is made for. */
export function hasDegree(polynomial: bigint): boolean {
  return degree(polynomial) === DEGREE;
}

/** A random irreducible polynomial of degree 53. About one candidate in 27 is one. */
export function randomPolynomial(): bigint {
  for (;;) {
    const bits = BigInt.asUintN(DEGREE, randomBytes(8).readBigUInt64LE());
    const candidate = (1n << BigInt(DEGREE)) | bits | 1n;
    if (isIrreducible(candidate)) return candidate;
  }
}

/**
 * Rabin's test: f of degree n is irreducible if x^(2^n) = x (mod f), and gcd(x^(2^(n/q)) - x, f) = 1 for each prime q
 * that divides n.
 */
export function isIrreducible(polynomial: bigint): boolean {
  const n = degree(polynomial);
  if (n < 1) return false;
  const x = remainder(2n, polynomial);
  for (const q of primeFactors(n)) {
    if (gcd(polynomial, frobenius(x, n / q, polynomial) ^ x) !== 1n) return false;
  }
  return frobenius(x, n, polynomial) === x;
}

/** `value` squared `times` times: value^(2^times) modulo the polynomial. */
function frobenius(value: bigint, times: number, modulus: bigint): bigint {
  let power = value;
  for (let i = 0; i < times; i++) power = remainder(square(power), modulus);
  return power;
}

/** Squaring over GF(2) spreads the coefficients: x^i becomes x^2i. */
function square(value: bigint): bigint {
  return BigInt(`0b${value.toString(2).split('').join('0')}`);
}

function remainder(value: bigint, modulus: bigint): bigint {
  const size = degree(modulus);
  let rest = value;
  for (let over = degree(rest) - size; over >= 0; over = degree(rest) - size) rest ^= modulus << BigInt(over);
  return rest;
}

function gcd(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b];
  while (smaller !== 0n) [larger, smaller] = [smaller, remainder(larger, smaller)];
  return larger;
}

/** -1 for zero. */
function degree(value: bigint): number {
  return value === 0n ? -1 : value.toString(2).length - 1;
}

function primeFactors(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (let q = 2; rest > 1; q++) {
    if (rest % q === 0) factors.push(q);
    while (rest % q === 0) rest /= q;
  }
  return factors;
}
