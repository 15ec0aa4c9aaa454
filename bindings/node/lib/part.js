'use strict'
// One part of a rules document, read by the document's grammar: what can be used without an engine is written in the same way.

const { json } = require('./arguments.js')
const { argumentError, call, RulesError } = require('./errors.js')
const { native } = require('./native.js')

/** The rules with this one part; a RulesError says where in a rules document the fault would be. */
function partOf (document, name) {
  const content = json({ version: 1, game: 'part', ...document }, name)
  return call(() => native.Rules.parse(content, undefined))
}

/** The same for arguments that are no document: a RangeError with the code of what is wrong. */
function part (document, name = 'the options') {
  try {
    return partOf(document, name)
  } catch (error) {
    if (!(error instanceof RulesError)) throw error
    const { issue, path } = error
    throw Object.assign(argumentError(RangeError, error.message, issue), { issue, path })
  }
}

module.exports = { part, partOf }
