// What a test says about an answer of the client's.

import assert from "node:assert/strict";

/** The rows of an answer that has to have succeeded, with this status where one is named. */
export function data(answer, status) {
  assert.equal(answer.error, null, `expected no error, got ${JSON.stringify(answer.error)}`);
  if (status !== undefined) assert.equal(answer.status, status, "the status");
  return answer.data;
}

/** Asserts that the answer holds exactly this, and has the status where one is named. */
export function answers(answer, expected, status) {
  assert.deepEqual(data(answer, status), expected);
}

/** Asserts that the rows have these values of one field, in this order. */
export function lists(answer, field, expected) {
  assert.deepEqual(data(answer).map((row) => row[field]), expected);
}

/** Asserts that the answer failed with this code and status, and shows the error. */
export function fails(answer, code, status) {
  assert.notEqual(answer.error, null, `expected ${code}, got ${JSON.stringify(answer.data)}`);
  assert.equal(answer.error.code, code, JSON.stringify(answer.error));
  if (status !== undefined) assert.equal(answer.status, status, JSON.stringify(answer.error));
  assert.equal(answer.data, null, "an error comes without data");
  assert.equal(typeof answer.error.message, "string");
  for (const part of ["details", "hint"]) {
    assert.ok(part in answer.error, `the error has ${part}, if only null`);
  }
  return answer.error;
}
