drop table access_log;
