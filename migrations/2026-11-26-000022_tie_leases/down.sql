drop index deliveries_leased;
alter table deliveries drop column leased_by;
