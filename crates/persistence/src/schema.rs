// @generated automatically by Diesel CLI, for the tables that are not read by SQL of our own.

diesel::table! {
    agencies (code) {
        code -> Text,
        parent -> Nullable<Text>,
        ministry -> Text,
        kind -> Text,
        name_ms -> Text,
        name_en -> Text,
        contacts -> Jsonb,
        confidence -> Text,
        active -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    client_keys (client_id, kid) {
        client_id -> Text,
        kid -> Text,
        jwk -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        agency -> Text,
        units -> Array<Text>,
        roles -> Array<Text>,
        name -> Text,
        active -> Bool,
        created_at -> Timestamptz,
        emergency -> Array<Text>,
    }
}

diesel::table! {
    code_lists (list) {
        list -> Text,
        version -> Text,
        name_ms -> Text,
        name_en -> Text,
    }
}

diesel::table! {
    codes (list, code, valid_from) {
        list -> Text,
        code -> Text,
        position -> Int4,
        label_ms -> Text,
        label_en -> Text,
        confidence -> Text,
        translated -> Bool,
        source -> Nullable<Text>,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
    }
}

diesel::table! {
    officers (agency, id) {
        agency -> Text,
        id -> Text,
        name -> Text,
        client_id -> Text,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    spent_assertions (client_id, jti) {
        client_id -> Text,
        jti -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::joinable!(client_keys -> clients (client_id));
diesel::joinable!(clients -> agencies (agency));
diesel::joinable!(codes -> code_lists (list));
diesel::joinable!(officers -> agencies (agency));
diesel::joinable!(officers -> clients (client_id));

diesel::allow_tables_to_appear_in_same_query!(
    agencies,
    client_keys,
    clients,
    code_lists,
    codes,
    officers,
    spent_assertions,
);
