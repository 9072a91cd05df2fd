/**
 * The functions that a caller's SQL may call: pure functions that access no files, settings or catalog, and do not sleep.
 * Functions of a new DuckDB version are refused until they are reviewed; a test lists them.
 */
export const allowedFunctions: ReadonlySet<string> = words(`
  + - * ** / // % ^ @ ! !__postfix & && | || ~ << >> ->> <-> <=> <@ @> ^@ xor
  ~~ !~~ ~~* !~~* ~~~ like_escape ilike_escape not_like_escape not_ilike_escape
  add subtract multiply divide mod pow power abs sign signbit ceil ceiling floor round round_even roundbankers trunc even
  sqrt cbrt exp ln log log10 log2 gamma lgamma factorial gcd greatest_common_divisor lcm least_common_multiple fdiv fmod
  sin cos tan cot asin acos atan atan2 sinh cosh tanh asinh acosh atanh pi degrees radians nextafter isfinite isinf isnan
  bit_count bit_length bit_position bitstring get_bit set_bit greatest least nullif constant_or_null random hash
  gen_random_uuid uuid uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version typeof alias error

  ascii bar base64 bin char_length character_length chr concat concat_ws contains damerau_levenshtein decode editdist3
  encode ends_with format formatReadableDecimalSize formatReadableSize format_bytes from_base64 from_binary from_hex
  hamming hex instr jaccard jaro_similarity jaro_winkler_similarity lcase left left_grapheme len length length_grapheme
  levenshtein lower lpad ltrim md5 md5_number md5_number_lower md5_number_upper mismatches nfc_normalize octet_length ord
  overlay parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path position prefix printf
  regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array
  repeat replace reverse right right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split
  str_split_regex string_split string_split_regex string_to_array strip_accents strlen strpos substr substring
  substring_grapheme suffix to_base to_base64 to_binary to_hex translate trim ucase unbin unhex unicode upper url_decode
  url_encode

  age ago century current_date current_localtime current_localtimestamp date_add date_diff date_part date_sub date_trunc
  datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms
  epoch_ns epoch_us era get_current_time get_current_timestamp hour isodow isoyear julian last_day make_date make_time
  make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium millisecond minute month
  monthname nanosecond normalized_interval now quarter second strftime strptime time_bucket timezone timezone_hour
  timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
  to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp try_strptime week weekday
  weekofyear year yearweek

  apply array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains array_cosine_distance
  array_cosine_similarity array_cross_product array_distance array_distinct array_dot_product array_extract array_filter
  array_grade_up array_has array_has_all array_has_any array_indexof array_inner_product array_intersect array_length
  array_negative_dot_product array_negative_inner_product array_pop_back array_pop_front array_position array_prepend
  array_push_back array_push_front array_reduce array_resize array_reverse array_reverse_sort array_select array_slice
  array_sort array_to_json array_to_string array_to_string_comma_default array_transform array_unique array_value
  array_where array_zip cardinality element_at equi_width_bins filter flatten generate_series generate_subscripts grade_up
  list_aggr list_aggregate list_any_value list_append list_apply list_approx_count_distinct list_avg list_bit_and
  list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat list_contains list_cosine_distance
  list_cosine_similarity list_count list_distance list_distinct list_dot_product list_element list_entropy list_extract
  list_filter list_first list_grade_up list_has list_has_all list_has_any list_histogram list_indexof list_inner_product
  list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median list_min list_mode
  list_negative_dot_product list_negative_inner_product list_pack list_position list_prepend list_product list_reduce
  list_resize list_reverse list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop
  list_stddev_samp list_string_agg list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where
  list_zip map map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value
  map_from_entries map_keys map_values range reduce regexp_split_to_table row row_to_json struct_concat struct_contains
  struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack struct_position
  struct_update struct_values switch union_extract union_tag union_value unnest unpivot_list enum_code enum_first enum_last
  enum_range enum_range_boundary from_json from_json_strict json json_array json_array_length json_contains json_exists
  json_extract json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object
  json_group_structure json_keys json_merge_patch json_object json_pretty json_quote json_structure json_transform
  json_transform_strict json_type json_valid json_value to_json

  any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last arg_min
  arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or corr
  count count_if count_star countif covar_pop covar_samp entropy favg first fsum geomean geometric_mean group_concat
  histogram histogram_exact is_histogram_other_bin kahan_sum kurtosis kurtosis_pop last list listagg mad max max_by mean
  median min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept
  regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile sem skewness stddev stddev_pop stddev_samp string_agg
  sum sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg
  cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number
`);

/**
 * Reviewed and refused: they reveal the database or the machine, run SQL given as text, change state, sleep, are useless
 * on a single table, or are internal. `__internal_` and `icu_collate_` functions are refused as well.
 */
export const refusedFunctions: ReadonlySet<string> = words(`
  aggregate can_cast_implicitly cast_to_type col_description combine create_sort_key current_catalog
  current_connection_id current_database current_query current_query_id current_role current_schema current_schemas
  current_setting current_transaction_id current_user currval finalize format_pg_type format_type get_block_size get_type
  getvariable has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
  has_function_privilege has_language_privilege has_schema_privilege has_sequence_privilege has_server_privilege
  has_table_privilege has_tablespace_privilege icu_sort_key in_search_path inet_client_addr inet_client_port
  inet_server_addr inet_server_port json_deserialize_sql json_serialize_plan json_serialize_sql make_type map_to_pg_oid
  nextval obj_description parse_duckdb_log_message pg_collation_is_visible pg_conf_load_time pg_conversion_is_visible
  pg_function_is_visible pg_get_constraintdef pg_get_expr pg_get_viewdef pg_has_role pg_is_other_temp_schema
  pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_postmaster_start_time
  pg_size_pretty pg_sleep pg_table_is_visible pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible
  pg_ts_template_is_visible pg_type_is_visible pg_typeof remap_struct replace_type session_user setseed shobj_description
  sleep_ms st_asbinary st_astext st_aswkb st_aswkt st_crs st_geomfromwkb st_intersects_extent st_setcrs stats
  timetz_byte_comparable txid_current user variant_bytes_to_variant variant_extract variant_normalize
  variant_to_parquet_variant variant_typeof vector_type version write_log
`);

/** The table functions that FROM may call. */
export const allowedTableFunctions: ReadonlySet<string> = words(`range generate_series unnest repeat`);

function words(text: string): ReadonlySet<string> {
  return new Set(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.toLowerCase()),
  );
}
