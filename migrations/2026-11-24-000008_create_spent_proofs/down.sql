drop index access_log_at;
drop table spent_proofs;
