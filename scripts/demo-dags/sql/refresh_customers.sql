merge into warehouse.customers as target
using staging.customers as source
on target.customer_id = source.customer_id
when matched and source.updated_at > target.updated_at then
    update set email = source.email, country = source.country, updated_at = source.updated_at
when not matched then
    insert (customer_id, email, country, updated_at)
    values (source.customer_id, source.email, source.country, source.updated_at);
