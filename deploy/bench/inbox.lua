dofile("deploy/bench/report.lua")
request = function() return wrk.format("GET", "/v1/inbox?limit=50", headers) end
