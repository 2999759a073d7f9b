// What a dashboard file of this repository may be, in Grafana's own published types: the types of
// the panels that are used, with their own options, instead of "any panel with any options".
import type * as dashboard from '@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { DataQuery } from '@grafana/schema/dist/esm/common/common.gen';

// @grafana/prometheus 11.6.0, interface Prometheus: that package's types need all of Grafana's
// frontend to be read, so that its fields stand here.
interface PrometheusQuery extends Omit<DataQuery, 'datasource'> {
  datasource: dashboard.DataSourceRef;
  editorMode?: 'code' | 'builder';
  exemplar?: boolean;
  expr: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  intervalFactor?: number;
  legendFormat?: string;
  range?: boolean;
  interval?: string;
}

// The same package's datasource.mjs reads these beside what every annotation has.
interface PrometheusAnnotation extends dashboard.AnnotationQuery {
  expr: string;
  step?: string;
  tagKeys?: string;
  textFormat?: string;
  titleFormat?: string;
}

type PanelOf<Type extends string, Options, Field> = Omit<
  dashboard.Panel,
  'type' | 'options' | 'fieldConfig' | 'targets' | 'datasource'
> & {
  type: Type;
  datasource: dashboard.DataSourceRef;
  options: Partial<Options>;
  fieldConfig: Omit<dashboard.FieldConfigSource, 'defaults'> & {
    defaults: Omit<dashboard.FieldConfig, 'custom'> & { custom?: Partial<Field> };
  };
  targets: PrometheusQuery[];
};

type NoField = Record<string, never>;

type AnyPanel =
  | PanelOf<'bargauge', bargauge.Options, NoField>
  | PanelOf<'stat', stat.Options, NoField>
  | PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | PanelOf<'table', table.Options, table.FieldConfig>
  | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>;

export type Dashboard = Omit<dashboard.Dashboard, 'panels' | 'annotations'> & {
  panels: Array<AnyPanel | dashboard.RowPanel>;
  annotations: { list: PrometheusAnnotation[] };
};
