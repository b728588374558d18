// Runs the suite's client against a cache and prints {id: {kind, passed, says}} as JSON.
//
//   node run.mjs http://127.0.0.1:8080            everything that concerns a shared cache
//   node run.mjs http://127.0.0.1:8080 ID...      these tests alone
import fetch from 'node-fetch'
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs'
import suites from 'http-cache-tests/tests/index.mjs'

const [base, ...only] = process.argv.slice(2)
const wanted = suites.map(suite => ({
  ...suite,
  tests: suite.tests.filter(test => !test.browser_only && (only.length === 0 || only.includes(test.id)))
}))
await runTests(wanted, fetch, false, base)
const results = getResults()
const told = wanted.flatMap(suite => suite.tests).map(test => {
  const result = results[test.id]
  const passed = result === true
  return [test.id, { kind: test.kind ?? 'required', passed, ...(!passed && { says: result.join(': ') }) }]
})
console.log(JSON.stringify(Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1))), null, 2))
