drop table case_parties, grants, child_identities, sections, children, cases;
drop sequence case_numbers;
