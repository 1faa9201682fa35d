drop index deliveries_leased;
