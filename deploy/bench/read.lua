dofile("deploy/bench/report.lua")
request = function() return wrk.format("GET", some_case(), headers) end
