-- revision 1: gross sales a day and shop
insert into mart.daily_sales (day, shop_id, orders, gross)
select
    date_trunc('day', ordered_at) as day,
    shop_id,
    count(*) as orders,
    sum(total_cents) / 100.0 as gross
from staging.orders
where ordered_at >= '{{ data_interval_start }}'
  and ordered_at < '{{ data_interval_end }}'
  and status <> 'cancelled'
group by 1, 2;
