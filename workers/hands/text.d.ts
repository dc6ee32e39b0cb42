/** What runs in a container, as text. */
declare module "*.sh" {
  const text: string;
  export default text;
}
