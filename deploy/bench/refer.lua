dofile("deploy/bench/report.lua")
headers["Content-Type"] = "application/json"
local body, thread, count = os.getenv("BENCH_BODY"), 0, 0
function setup(it) thread = thread + 1; it:set("number", thread) end
function init() math.randomseed(os.time() + number) end
request = function()
  count = count + 1
  headers["Idempotency-Key"] = string.format("bench-%d-%d-%d-%d", os.time(), number, count, math.random(1e9))
  return wrk.format("POST", some_case() .. "/referrals", headers, body)
end
