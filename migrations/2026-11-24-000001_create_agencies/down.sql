drop table codes, code_lists, spent_assertions, officers, client_keys, clients, agencies;
