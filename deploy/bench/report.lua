-- One line for the script: requests per second, p50 and p99 in milliseconds, answers that were no success.
function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.status
  print(string.format("%.2f %.3f %.3f %d", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors))
end

math.randomseed(os.time())

-- One of the school's cases: every fourth, numbered as persistence/src/bulk.rs has it.
function some_case()
  return string.format("/v1/cases/01900000-0000-7000-8000-%012x", 4 * math.random(1, tonumber(os.getenv("BENCH_CASES"))))
end

headers = { ["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN") }
